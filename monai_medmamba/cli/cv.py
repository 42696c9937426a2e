"""``medmamba cv``: cross-validation of a bundle, and the ensemble of its folds."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba cv bundles/my_task
  medmamba cv bundles/medmamba_endo --folds 5 --out cv --epochs 20 --dataset_dir path/to/images
  medmamba cv bundles/my_task --overlay baseline --out cv-densenet --baseline densenet121

Words that are not listed above set the bundle's own settings, as for `python -m monai.bundle run`.

What is left behind in --out: models/fold0 ... with the weights, fold0 ... with each fold's report, ensemble with the
report of the mean of all folds on the test images, and cross_validation.json and .csv. Called again after a stop or a
failure it goes on where it was. The ensemble evaluates other images with

  python -m monai.bundle run inferring --dataset_dir path/to/images --ckpt_dir cv/models \\
      --config_file "['bundles/my_task/configs/inference.json','$(medmamba overlay ensemble)']"

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "cv",
        help="cross-validate a bundle, and evaluate the ensemble of its folds",
        description="Train a bundle once for each fold, evaluate each on the images it left out and on the test "
        "images, then evaluate the mean of all on the test images.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # --fold is the bundle's
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument("--folds", type=int, metavar="K", help="how many (what the bundle's plan says, at least 5)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where everything goes (BUNDLE/output/cv)")
    parser.add_argument("--overlay", action="append", default=[], metavar="NAME", help="one more overlay, or its path")
    parser.set_defaults(run=_run, takes_more=True)


def _run(arguments: argparse.Namespace) -> int:
    from ..bundle import BundleCrossValidation

    bundle: Path = arguments.bundle
    out = arguments.out or bundle / "output" / "cv"
    folds = arguments.folds or _planned_folds(bundle)
    validation = BundleCrossValidation(bundle, out, folds, arguments.overlay, _settings(arguments.more))
    _show(validation.run())
    sys.stdout.write(f"{out / 'cross_validation.json'}\n{out / 'ensemble' / 'report.html'}\n")
    return 0


def _planned_folds(bundle: Path) -> int:
    path = bundle / "configs" / "plan.json"
    if not path.is_file():
        return 5
    decisions = json.loads(path.read_text(encoding="utf-8"))["decisions"]
    return max(5, next(int(row["value"]) for row in decisions if row["name"] == "folds"))


def _settings(words: list[str]) -> dict[str, str]:
    """Returns the bundle's settings among the words: ``--name value`` or ``--name=value``."""
    found, rest = {}, list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not name.startswith("--") or not (equals or rest):
            raise ValueError(f"expected settings of the bundle as --name value, got {' '.join(words)}")
        found[name[2:]] = value if equals else rest.pop(0)
    return found


def _show(content: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..bundle.fold_figures import FIGURES
    from ..visualize.page_text import FIGURES as NAMES

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("images", justify="right")
    for name in FIGURES:
        table.add_column(NAMES.get(name, name), justify="right")
    for what, title in (("validation", "left out"), ("test", "test")):
        for k, row in enumerate(content[what]["by_fold"]):
            table.add_row(f"fold {k}, {title}", str(row["images"]), *(_number(row[name]) for name in FIGURES))
        means = content[what]["over_folds"]
        spread = [
            f"{_number(means[name]['mean'])} ± {_number(means[name]['std'])}" if means[name]["mean"] is not None else ""
            for name in FIGURES
        ]
        table.add_row(f"all folds, {title}: mean ± sd", "", *spread, end_section=True)
    for what, title in (("pooled", "left out, pooled"), ("ensemble", "test, ensemble")):
        part = content[what]
        shown = [
            f"{_number(row['value'])} ({_number(row['low'])} to {_number(row['high'])})"
            for row in (part["figures"][name] for name in FIGURES)
        ]
        table.add_row(title, str(part["images"]), *shown)
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table)
    drawn = content["ensemble"]["bootstrap"]
    console.print(
        f"In brackets {100 * drawn['confidence']:g} % intervals, resampled by {drawn['unit']}. Epoch and temperature "
        "of a fold were chosen on the images it left out, so those figures are a little too good; the test images "
        "chose nothing."
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
