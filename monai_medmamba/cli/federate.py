"""``medmamba federate``: rehearses a federation of hospitals on one machine, and writes the job for a real one."""

from __future__ import annotations

import argparse
import csv
import json
import logging
import sys
from pathlib import Path
from typing import Any

from ..files import atomic_path

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba federate --bundle bundles/medmamba_endo --out rehearsal --compare
  medmamba federate --bundle bundles/medmamba_endo --site north=data/north --site south=data/south --out rehearsal
  medmamba federate --bundle bundles/medmamba_endo --data kvasir --hospitals 3 --out rehearsal --set batch_size=16
  medmamba federate --bundle bundles/medmamba_endo --flare-job jobs/endo --variant tiny --image-size 224 --rounds 20

Without --site one data set, the bundle's phantoms if none is named, is parted into hospitals of different balance.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "federate",
        help="rehearse training with several hospitals' images that stay where they are",
        description="Train a bundle by federated averaging, all hospitals in turn on this machine: each trains on its "
        "own\nimages, only weights and figures pass between them. OUT/model.safetensors is the averaged network, and\n"
        "OUT/<hospital>/exchanged.csv lists everything that passed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="FOLDER", help="the bundle to train")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="rehearse, with all files in there; new or empty")
    parser.add_argument(
        "--flare-job", type=Path, metavar="FOLDER", help="train nothing: write the job for NVIDIA FLARE in there"
    )
    parser.add_argument(
        "--classes",
        default="",
        metavar="A,B,...",
        help="of every hospital, for the job (those of the bundle's metadata)",
    )
    parser.add_argument(
        "--site",
        action="append",
        default=[],
        metavar="NAME=DATASET",
        help="a hospital and its data set, laid out as the bundle expects; give it once for each",
    )
    parser.add_argument("--data", default="", metavar="DATASET", help="the data set to part, where no --site is given")
    parser.add_argument(
        "--hospitals", type=int, default=2, metavar="N", help="parts of it, or hospitals that the job waits for (2)"
    )
    parser.add_argument(
        "--share", type=float, default=0.8, metavar="P", help="of a class's images that one hospital gets (0.8)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often weights are averaged (3)")
    parser.add_argument("--local-epochs", type=int, default=2, metavar="N", help="epochs between two rounds (2)")
    parser.add_argument("--variant", default="nano", help="of the network, the same everywhere (nano)")
    parser.add_argument("--image-size", type=int, default=64, metavar="PX", help="the same everywhere (64)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a further setting of the bundle, repeatable"
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="also train each hospital alone and all images together, test all alike, and write comparison.csv",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if (arguments.out is None) == (arguments.flare_job is None):
        raise ValueError("expected one of --out, to rehearse, and --flare-job, to write the job of a real federation")
    out: Path = arguments.out or arguments.flare_job
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"expected an empty or new folder, got {out}; name another, or remove it")
    settings = {"variant": arguments.variant, "image_size": arguments.image_size, **_settings(arguments.set)}
    if arguments.flare_job is not None:
        return _write_job(arguments, settings)
    logging.getLogger("monai.fl.client.monai_algo").setLevel(logging.WARNING)
    sites = _sites(arguments, settings)

    from ..federated import compare_trainings, rehearse

    length = {"rounds": arguments.rounds, "local_epochs": arguments.local_epochs, "settings": settings}
    if arguments.compare:
        rows = compare_trainings(arguments.bundle, sites, out, **length)
        with atomic_path(out / "comparison.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        _show(rows)
        sys.stdout.write(
            f"written to {out / 'comparison.csv'}; the averaged network: {out / 'federated' / 'model.safetensors'}\n"
        )
        return 0
    done = rehearse(arguments.bundle, sites, out, **length)
    sys.stdout.write(f"the averaged network: {done.weights}; what passed: {out}/<hospital>/exchanged.csv\n")
    return 0


def _write_job(arguments: argparse.Namespace, settings: dict[str, Any]) -> int:
    from ..federated import write_flare_job

    job = write_flare_job(
        arguments.bundle,
        arguments.flare_job,
        variant=settings.pop("variant"),
        class_names=[name for name in arguments.classes.split(",") if name],
        hospitals=arguments.hospitals,
        rounds=arguments.rounds,
        local_epochs=arguments.local_epochs,
        settings=settings,
    )
    sys.stdout.write(
        f"the job: {job}\nEach hospital sets MEDMAMBA_BUNDLE to its copy of {arguments.bundle.name} and "
        "MEDMAMBA_SITE_DATA to its data set.\n"
    )
    return 0


def _settings(pairs: list[str]) -> dict[str, Any]:
    """Returns settings from KEY=VALUE; a value that is JSON is taken as such, like MONAI's command line does."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not (key and separator):
            raise ValueError(f"expected --set KEY=VALUE, got {pair}")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _sites(arguments: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Path]:
    """Returns the data set of each hospital; parts one where none is given."""
    sites: dict[str, Path] = {}
    for pair in arguments.site:
        name, _, dataset = pair.partition("=")
        if not (name and dataset) or name in sites:
            raise ValueError(f"expected --site NAME=DATASET, each name once, got {pair}")
        sites[name] = Path(dataset).resolve()
    if sites:
        return sites

    from ..bundle import prepare_data
    from ..federated import part_hospitals

    config = json.loads((arguments.bundle / "configs" / "train.json").read_text(encoding="utf-8"))
    layout = settings.get("layout", config.get("layout"))
    names = [f"hospital_{i + 1}" for i in range(arguments.hospitals)]
    parted = part_hospitals(prepare_data(arguments.data, 0, layout), arguments.out / "data", names, arguments.share)
    settings["layout"] = {}  # the parts are split folders with class folders, whatever the data set was
    return parted


def _show(rows: list[dict[str, Any]]) -> None:
    """Prints the comparison."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "training" else "right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)
