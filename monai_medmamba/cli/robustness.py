"""``medmamba robustness``: accuracy under noise, blur and what else happens to pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba robustness data/ --weights model.safetensors
  medmamba robustness output/datalist.json --weights models/model.safetensors --out output/robustness
  medmamba robustness data/ --weights model.pt --corruptions noise blur rotation --split validation

corruptions: noise, blur, motion, contrast, jpeg, highlights, rotation, zoom_in, zoom_out; five severities each
DATA that brings no splits is split as in training with the same --seed-of-split; the datalist.json that a training left
holds its very split.
DIR gets robustness.html (curves, examples, a table), robustness.json and robustness.csv.

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "robustness",
        help="measure accuracy under noise, blur, rotation and other corruptions",
        description="Measure the accuracy of trained weights on images that get worse step by step, and write a page.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "data", metavar="DATA", help="a data set's folder, a datalist.json, or '' for the embedded phantoms"
    )
    parser.add_argument("--weights", type=Path, required=True, metavar="W", help="model.safetensors or model.pt")
    parser.add_argument(
        "--out", type=Path, default=Path("robustness"), metavar="DIR", help="to write into (robustness)"
    )
    parser.add_argument("--split", choices=("training", "validation", "test"), default="test", help="to measure (test)")
    parser.add_argument("--corruptions", nargs="+", metavar="NAME", help="to measure (all)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of chance (0)")
    parser.add_argument("--seed-of-split", type=int, default=0, metavar="N", help="the --seed of the training (0)")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="images at a time (64)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA if it can")
    parser.add_argument("--backend", metavar="NAME", help="of the scans (auto); `medmamba info` lists them")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no list")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import torch

    from ..bundle import prepare_data
    from ..data import Datalist
    from ..inference import load_classifier
    from ..robustness import CORRUPTIONS, measure_robustness, write_robustness

    if arguments.batch_size < 1:
        raise ValueError(f"expected --batch-size of 1 or more, got {arguments.batch_size}")
    classifier = load_classifier(arguments.weights, arguments.device, arguments.backend)
    listed = arguments.data.lower().endswith(".json")
    data = Datalist.load(arguments.data) if listed else prepare_data(arguments.data, arguments.seed_of_split)
    measured = measure_robustness(
        classifier,
        data,
        split=arguments.split,
        corruptions=tuple(dict.fromkeys(arguments.corruptions or CORRUPTIONS)),
        seed=arguments.seed,
        batch_size=arguments.batch_size,
        readers=torch.get_num_threads(),
        progress=not arguments.quiet,
    )
    name = data.root if listed else arguments.data
    page = write_robustness(
        arguments.out, measured, classifier, dataset=name, split=arguments.split, phantoms=not arguments.data
    )
    if not arguments.quiet:
        sys.stdout.write(f"clean: {measured.rows[0].accuracy:.3f} of {measured.images} images right\n")
        for corruption in dict.fromkeys(row.corruption for row in measured.rows):
            values = [f"{row.accuracy:.3f}" for row in measured.rows if row.corruption == corruption and row.severity]
            sys.stdout.write(f"{corruption}: {' '.join(values)}\n")
    sys.stdout.write(f"{page}\n")
    return 0
