"""``medmamba plan``: a bundle for any data set, every decision with its reason."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .fingerprint import add_data_arguments, data_layout

if TYPE_CHECKING:
    from ..planning import Plan

__all__ = ["add_to"]

DESCRIPTION = """\
Look over a data set of labelled images or volumes and write a MONAI bundle that trains MedMamba on it. What is decided
(split, size, normalisation, augmentation that is safe for the modality, weights of rare classes, network, batch,
learning rate, epochs ...) is shown with its reason, stands in configs/plan.json, and can be decided otherwise with a
flag.

Volumes are NIfTI files, DICOM series (a folder each, in a class folder or named by a table), DICOM files of several
frames, or an .npz file of MedMNIST3D.
"""

EXAMPLES = """\
examples:
  medmamba plan images/ --out bundles/my_task
  medmamba plan breastmnist.npz --out bundles/breast --budget 30m --gpu-memory 8GB
  medmamba plan images/ --csv metadata.csv --column path=file --column label=diagnosis --column patient=case --out b
  medmamba plan images/ --out bundles/my_task --set epochs=50 --set weight_decay=0.01 --modality radiography
  medmamba plan ct/ --out bundles/ct --volume-size 64 64 48 --set intensity_range=[-160,240]
  medmamba plan --task medmamba_endo --out bundles/medmamba_endo      one of the project's own bundles, written anew

then:
  python -m monai.bundle run training --config_file bundles/my_task/configs/train.json

The fingerprint of the data (see `medmamba fingerprint`) is kept beside, in --fingerprint, and used again.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "plan",
        help="write a bundle that trains on a data set, with the reason of every decision",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA", help="a folder, a table or an .npz file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    parser.add_argument("--task", metavar="NAME", help="write one of the project's own bundles, without DATA")
    add_data_arguments(parser)
    parser.add_argument("--fingerprint", type=Path, metavar="DIR", help="folder of it (fingerprint-<name of DATA>)")
    parser.add_argument("--name", help="what the bundle calls the data set (name of DATA)")
    decide = parser.add_argument_group("decide yourself")
    decide.add_argument("--modality", help="what the images are, where the guess is wrong")
    decide.add_argument("--variant", choices=("auto", "nano", "tiny", "small", "base"), default="auto")
    decide.add_argument("--budget", type=_hours, metavar="2h", help="longest time of a training, in h or m")
    decide.add_argument("--gpu-memory", type=_gib, default=16.0, metavar="16GB", help="of the GPU (16GB)")
    decide.add_argument("--folds", type=int, metavar="K", help="of cross-validation")
    decide.add_argument("--image-size", type=int, metavar="PIXELS")
    decide.add_argument("--volume-size", type=int, nargs=3, metavar=("RIGHT", "FRONT", "HEAD"), help="in voxels")
    decide.add_argument("--batch-size", type=int, metavar="N")
    decide.add_argument("--epochs", type=int, metavar="N")
    decide.add_argument("--learning-rate", type=float, metavar="RATE")
    decide.add_argument("--seed", type=int, metavar="N")
    decide.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="any decision of plan.json"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the files of a bundle that is there already")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")
    parser.set_defaults(run=_run)


def _hours(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)(h|m|min)", text)
    if not match or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"expected a time such as 2h or 30m, got {text}")
    return float(match[1]) / (1 if match[2] == "h" else 60)


def _gib(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)(GB|GiB)?", text)
    if not match or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"expected a memory such as 16GB, got {text}")
    return float(match[1])


def _setting(text: str) -> tuple[str, Any]:
    import json

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"expected a decision's name, = and a value, got {text}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _run(arguments: argparse.Namespace) -> int:
    from ..planning import load_task, make_plan, task_of, write_bundle

    if (arguments.data is None) == (arguments.task is None):
        raise ValueError("name either DATA or one of the project's own bundles with --task")
    flags: dict[str, Any] = {
        "variant": None if arguments.variant == "auto" else arguments.variant,
        "folds": arguments.folds,
        "image_size": arguments.image_size,
        "volume_size": arguments.volume_size,
        "batch_size": arguments.batch_size,
        "epochs": arguments.epochs,
        "learning_rate": arguments.learning_rate,
        "seed": arguments.seed,
        **dict(arguments.set),
    }
    if arguments.task:
        task, profile, own = load_task(arguments.task)
        flags = {**own, **{name: value for name, value in flags.items() if value is not None}}
        dataset_dir = ""
    else:
        profile, dataset_dir = _profile(arguments)
        task = task_of(profile)
    plan = make_plan(profile, flags, budget_hours=arguments.budget, gpu_gib=arguments.gpu_memory)
    write_bundle(plan, task, arguments.out, dataset_dir=dataset_dir, overwrite=arguments.overwrite)
    if not arguments.quiet:
        _show(plan)
        train = arguments.out / "configs" / "train.json"
        sys.stdout.write(f"written to {arguments.out}; train with\n")
        sys.stdout.write(f"  python -m monai.bundle run training --config_file {train}\n")
    return 0


def _profile(arguments: argparse.Namespace) -> tuple[Any, str]:
    """Returns the data set's profile, and where it lies."""
    from dataclasses import replace

    from ..fingerprint import fingerprint_dataset
    from ..planning import profile_of

    data, layout = arguments.data, data_layout(arguments)
    content = fingerprint_dataset(
        data,
        arguments.fingerprint or Path(f"fingerprint-{data.resolve().name}"),
        **layout,
        join_slices=True,
        progress=not arguments.quiet,
    )
    table = data if data.suffix.lower() in (".csv", ".tsv") else arguments.csv
    if table is not None:
        layout["csv"] = table.name
    profile = profile_of(content, layout)
    changes = {"name": arguments.name, "modality": arguments.modality}
    changes = {key: value for key, value in changes.items() if value is not None}
    if arguments.modality:
        changes["certainty"] = "asked for"
    folder = data.resolve().parent if table is data else data.resolve()
    return replace(profile, **changes), str(folder)


def _show(plan: Plan) -> None:
    """Prints each decision, its value and its reason."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("decision", "value", "reason"):
        table.add_column(column, overflow="fold")
    for decision in plan.decisions:
        table.add_row(decision.name, Text(_shown(decision.value)), Text(decision.reason))
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(table)


def _shown(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"gpu", "cpu"}:
        return f"{value['gpu']} / {value['cpu']} on a CPU" if value["gpu"] != value["cpu"] else str(value["gpu"])
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items() if inner)
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)}: {value[0]} ..."
    return str(value)
