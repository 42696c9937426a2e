"""The program: its commands, and what an error becomes on the way out."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

from ..discretion import discreet
from . import (
    calibrate,
    compare,
    convert,
    cv,
    dicomweb,
    embed,
    explain,
    export,
    federate,
    fetch,
    fingerprint,
    info,
    label_app,
    overlay,
    plan,
    predict,
    report,
    report_dicom,
    robustness,
)

__all__ = ["main"]

COMMANDS = (
    info,
    fetch,
    dicomweb,
    fingerprint,
    plan,
    overlay,
    cv,
    federate,
    predict,
    report_dicom,
    explain,
    robustness,
    embed,
    compare,
    calibrate,
    export,
    convert,
    report,
    label_app,
)
"""In the order of the help. Each module has ``add_to(commands)``, which adds a parser whose ``run`` does the work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: the words after ``medmamba``; None for those of the process.

    Returns:
        The exit status: 0 done, 1 an error that the message explains, 2 done but for some of the files, or with
        problems to look at. Wrong usage leaves with 1 as well.

    Example:
        >>> main(["convert", "missing.pth", "out.safetensors"])
        1
    """
    parser = _parser()
    arguments, more = parser.parse_known_args(argv)
    if more and not getattr(arguments, "takes_more", False):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    arguments.more = more
    level = logging.WARNING if getattr(arguments, "quiet", False) else logging.INFO
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a file name that the terminal's encoding lacks stops nothing
    logging.basicConfig(level=level, format="%(levelname)s: %(message)s")
    try:
        with discreet():  # what is wrong with a DICOM file is listed by our own messages, which quote no patient
            return arguments.run(arguments)
    except (ValueError, OSError, RuntimeError) as error:
        sys.stderr.write(f"medmamba {arguments.command}: {error}\n")
        return 1


class _Parser(argparse.ArgumentParser):
    """Leaves with 1 where argparse would with 2, which says that some files were not done."""

    def error(self, message: str) -> NoReturn:
        """Shows the usage and what is wrong."""
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    from ..version import __version__

    parser = _Parser(
        prog="medmamba",
        description="MedMamba for MONAI. Training, evaluation and inference run through MONAI bundles: "
        "python -m monai.bundle run training --config_file bundles/medmamba_endo/configs/train.json",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
