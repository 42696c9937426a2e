"""Silence of the DICOM libraries, whose warnings and logs quote what they read: names, numbers, dates of birth."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

__all__ = ["discreet"]

LIBRARIES = ("pydicom", "highdicom", "dicomweb_client", "retrying")


@contextlib.contextmanager
def discreet() -> Iterator[None]:
    """Keeps warnings and logs of pydicom, highdicom and dicomweb_client from appearing while the block runs.

    pydicom quotes a value that breaks a rule, and highdicom a name that does: both may be a patient's. What is wrong
    with a file is said by our own errors, which quote no value. As all of Python's warning filters it holds for
    the whole process meanwhile.

    Yields:
        Nothing.

    Example:
        >>> with discreet():
        ...     logging.getLogger("pydicom").warning("Doe^Jane")
    """
    loggers = [logging.getLogger(name) for name in LIBRARIES]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            for library in LIBRARIES:
                warnings.filterwarnings("ignore", module=rf"{library}\b")
            for logger in loggers:
                logger.setLevel(logging.CRITICAL + 1)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
