"""``medmamba compare``: two runs on the same test images."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..metrics import Predictions

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba compare runs/resnet/output runs/medmamba/output
  medmamba compare a/predictions.csv b/predictions.csv --out comparison --resamples 5000

Both must have classified the same images of the same classes; what differs is named. Differences are B minus A, with
the interval of a paired bootstrap, by patient where the data list of A knows patients. McNemar's exact test is about
accuracy, and takes the images for independent.

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "compare",
        help="compare two runs on the same test images",
        description="Compare the predictions of two runs on the same test images.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", type=Path, metavar="A", help="a run's output folder, or its predictions.csv")
    parser.add_argument("second", type=Path, metavar="B", help="another")
    parser.add_argument("--names", nargs=2, metavar=("A", "B"), help="what to call them (their folders' names)")
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="of the bootstrap (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the resamples (0)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write comparison.json and comparison.html there")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..metrics import Bootstrap, compare_predictions
    from ..metrics.run_data import RunData
    from ..visualize import write_comparison

    first, second = _read(arguments.first), _read(arguments.second)
    patients = RunData(_folder(arguments.first)).patients(first.images)
    found = compare_predictions(first, second, Bootstrap(patients, arguments.resamples, arguments.seed))
    names = arguments.names or _names(arguments.first, arguments.second)
    content = {"first": names[0], "second": names[1], **found}
    _show(content)
    if arguments.out is not None:
        from ..files import atomic_path

        with atomic_path(arguments.out / "comparison.json") as draft:
            draft.write_text(
                json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
            )
        sys.stdout.write(f"{write_comparison(arguments.out / 'comparison.html', content)}\n")
    return 0


def _read(path: Path) -> Predictions:
    from ..metrics import read_predictions

    table = path / "evaluation" / "predictions.csv" if path.is_dir() else path
    if not table.is_file():
        raise FileNotFoundError(f"{table} is missing; evaluate the run first, or name its predictions.csv")
    return read_predictions(table)


def _folder(path: Path) -> Path:
    """Returns the run's folder: a table of predictions lies in its `evaluation`."""
    return path if path.is_dir() else path.parent.parent


def _names(*paths: Path) -> list[str]:
    """Returns the last parts of two paths that tell them apart."""
    parts = [_folder(path).resolve().parts for path in paths]
    differ = [place for place in range(1, min(map(len, parts)) + 1) if parts[0][-place] != parts[1][-place]]
    return [part[-differ[0]] for part in parts] if differ else ["A", "B"]


def _show(content: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..visualize.page_text import FIGURES, FURTHER

    drawn, mcnemar = content["bootstrap"], content["mcnemar"]
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for name in (content["first"], content["second"], "difference", f"{100 * drawn['confidence']:g} % interval"):
        table.add_column(Text(name), justify="right", overflow="fold")
    names = {**FIGURES, **FURTHER}
    for key, row in content["figures"].items():
        difference = row["difference"]
        edges = "" if difference["low"] is None else f"{difference['low']:+.4f} to {difference['high']:+.4f}"
        shown = ("undefined" if value is None else f"{value:.4f}" for value in (row["first"], row["second"]))
        changed = "" if difference["value"] is None else f"{difference['value']:+.4f}"
        table.add_row(names[key], *shown, changed, edges)
    console.print(table)
    console.print(
        f"{content['images']} images, {drawn['resamples']} paired resamples of {drawn['units']} {drawn['unit']}s. "
        f"McNemar: {mcnemar['only_first_right']} images only the first has right, {mcnemar['only_second_right']} only "
        f"the second, p = {mcnemar['p_value']:.4g}"
    )
