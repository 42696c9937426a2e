"""``medmamba embed``: frozen features of pictures, and a linear probe on them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .failures import list_failures, reasons
from .volume_series import add_series, with_series

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba embed images/ --weights model.safetensors --out features.npz
  medmamba embed ct/ --weights of_volumes/model.pt --out features.npz --series largest
  medmamba embed data/polyp data/mucosa --weights model.safetensors --out features.npz --probe

The file holds the arrays images (n), folders (n) and features (n, F): numpy.load("features.npz")["features"].
--probe takes the folder that an image lies in for its class, and tells how well a linear model on the features
tells the classes apart in cross-validation. Images of one patient in several folds make that better than it is.
exit status: 0 all images taken, 1 nothing done (the message says why), 2 some images could not be read

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "embed",
        help="write the features that trained weights see in images",
        description="Write a vector of features for each image: the mean of the network's last map.\n"
        "Image size and normalisation come from the file of the weights.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="+", metavar="IMAGES", help="files, folders and patterns, as for `predict`")
    parser.add_argument("--weights", type=Path, required=True, metavar="W", help="model.safetensors or model.pt")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="to write, FILE.npz")
    parser.add_argument("--probe", action="store_true", help="cross-validate a linear model, folders as classes")
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="of the probe (5)")
    add_series(parser)
    parser.add_argument("--batch-size", type=int, default=16, metavar="N", help="images at a time (16)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA if it can")
    parser.add_argument("--backend", metavar="NAME", help="of the scans (auto); `medmamba info` lists them")
    parser.add_argument("--quiet", action="store_true", help="no progress bar; failures are still listed")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import torch

    from ..inference import Embedding, VolumePreprocessing, find_pictures, find_volumes, write_embedding
    from ..inference.classifier import network_on_device
    from ..inference.embed import embed_with
    from ..metrics import probe_features

    if arguments.out.suffix.lower() != ".npz":
        raise ValueError(f"expected --out FILE.npz, got {arguments.out}")
    loaded = network_on_device(arguments.weights, arguments.device, arguments.backend)
    preprocessing = with_series(loaded.preprocessing, arguments)
    find = find_volumes if isinstance(preprocessing, VolumePreprocessing) else find_pictures
    images, missed = find(arguments.images)
    if not images:
        raise ValueError(f"no image found{reasons(missed)}")
    found = embed_with(
        loaded.network,
        preprocessing,
        loaded.device,
        images,
        batch_size=arguments.batch_size,
        readers=torch.get_num_threads(),
        progress=not arguments.quiet,
    )
    found = Embedding(found.images, found.features, missed + found.failures)
    write_embedding(arguments.out, found)
    sys.stdout.write(f"{arguments.out}: {len(found.images)} images, {found.features.shape[1]} features each\n")
    if arguments.probe:
        result = probe_features(found.features, found.folders, arguments.folds)
        sys.stdout.write(
            f"linear probe, {result.folds} folds: accuracy {result.accuracy:.3f}, balanced accuracy "
            f"{result.balanced_accuracy:.3f} (naming the largest class: {result.largest_class:.3f})\n"
        )
    return list_failures(found.failures, len(images) + len(missed), "read")
