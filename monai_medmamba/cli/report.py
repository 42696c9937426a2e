"""``medmamba report``: the report page of a run, written again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "report",
        help="write the report page of a run again",
        description="Write RUN/report.html from the files that training and evaluation left in the folder RUN.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="a bundle's output folder")
    parser.add_argument("--title", default="MedMamba", help="of the page")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..visualize import write_report

    sys.stdout.write(f"{write_report(arguments.folder, title=arguments.title)}\n")
    return 0
