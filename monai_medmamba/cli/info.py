"""``medmamba info``: what this installation is and can do."""

from __future__ import annotations

import argparse

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser("info", help="show versions, devices, and which backends of the scan can run here")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    del arguments
    from ..information import print_information

    print_information()
    return 0
