"""Names of files on a terminal, and the list of those that could not be read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference import Failure

__all__ = ["list_failures", "reasons", "shown"]


def shown(name: str) -> str:
    """Returns a file name that a terminal can print: what is no printable character becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def reasons(failures: Sequence[Failure]) -> str:
    """Returns a line for each file, with what is wrong with it, each after a line break."""
    return "".join(f"\n  {shown(failure.image)}: {failure.reason}" for failure in failures)


def list_failures(failures: Sequence[Failure], total: int, done: str) -> int:
    """Writes on the error stream how many of all files could not be ``done``, and why; returns the exit status."""
    if not failures:
        return 0
    sys.stderr.write(f"{len(failures)} of {total} could not be {done}:{reasons(failures)}\n")
    return 2
