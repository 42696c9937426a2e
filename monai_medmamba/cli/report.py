"""``medmamba report``: the evidence and the report page of a run, written again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba report bundles/medmamba_endo/output
  medmamba report output --table patients.csv --columns site sex --sensitivity 0.9
  medmamba report output --resamples 5000 --seed 1

It reads what an evaluation left: evaluation/predictions.csv, validation.csv, metrics.json and the data list. It writes
evaluation/evidence.json with figures.csv, curves.csv and subgroups.csv, then report.html, report.json, model_card.md
and checklists/.

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "report",
        help="write the evidence and the report page of a run again",
        description="Compute intervals, curves, calibration, operating points and subgroups from the files that\n"
        "training and evaluation left in the folder RUN, and write its report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="a bundle's output folder")
    parser.add_argument("--title", default="MedMamba", help="of the page")
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="of each bootstrap (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the resamples (0)")
    parser.add_argument(
        "--table", metavar="CSV", help="with a column path and columns to part images by (the one in the data's folder)"
    )
    parser.add_argument(
        "--columns",
        nargs="+",
        metavar="NAME",
        help="of the table (those with 2 to 12 values, none that speaks of identity)",
    )
    parser.add_argument(
        "--sensitivity", type=float, default=0.95, metavar="X", help="to fix by a threshold on validation (0.95)"
    )
    parser.add_argument(
        "--specificity", type=float, default=0.95, metavar="X", help="to fix by a threshold on validation (0.95)"
    )
    parser.add_argument(
        "--accuracy",
        type=float,
        default=0.95,
        metavar="X",
        help="of the images kept when doubtful ones are left out (0.95)",
    )
    parser.add_argument("--ordinal", action="store_true", help="the classes are ordered: show quadratic kappa")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..metrics import EvidenceSettings, write_evidence
    from ..visualize import write_report

    settings = EvidenceSettings(
        resamples=arguments.resamples,
        seed=arguments.seed,
        targets={"sensitivity": arguments.sensitivity, "specificity": arguments.specificity},
        target_accuracy=arguments.accuracy,
        ordinal=arguments.ordinal,
        table=arguments.table,
        columns=arguments.columns,
    )
    write_evidence(arguments.folder, settings)
    sys.stdout.write(f"{write_report(arguments.folder, title=arguments.title)}\n")
    return 0
