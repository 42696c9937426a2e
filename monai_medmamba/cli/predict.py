"""``medmamba predict``: classes and probabilities of pictures."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .dicom_images import add_selection, add_server, find_images, tell_left_out
from .failures import list_failures, reasons, shown
from .volume_series import add_series, with_series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..inference import ImageClassifier, Outcome
    from ..metrics import FindingPredictions, Predictions
    from .dicom_images import FoundImages

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba predict scan.png --weights model.safetensors
  medmamba predict images/ more/*.jpg "archive/**/*.dcm" --weights model.safetensors --out results.csv
  medmamba predict images/ --onnx model.onnx --threads 2 --out results.json
  medmamba predict ct/ --weights model.pt --window 40 400 --quiet --out results.csv
  medmamba predict head.nii.gz "scans/*/series" --weights of_volumes/model.pt
  medmamba predict https://pacs.example/dicom-web --modality CR DX --body-part CHEST --weights model.pt --keep chest/

Where the weights are for volumes, images are NIfTI files, folders with a DICOM series, DICOM files of several frames,
and folders of these. As much of each is taken as the network was trained on, about its centre.

A file that cannot be read is passed over and listed at the end with the reason.
exit status: 0 all images classified, 1 nothing done (the message says why), 2 some images could not be read

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "predict",
        help="classify images with trained weights",
        description="Classify images. Class names, image size and normalisation come from the file of the weights;\n"
        "the probabilities are those of the bundle's inference.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGES",
        help="files, folders (searched at any depth) and patterns: png, jpg, bmp, tif, and DICOM (needs pydicom); the "
        "address of a DICOMweb server; volumes",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="W",
        help="model.safetensors or model.pt of a training, or an .onnx file",
    )
    parser.add_argument(
        "--onnx",
        type=Path,
        metavar="FILE",
        help="run this file through ONNX Runtime (pip install onnxruntime); --weights then only names the weights "
        "it was made from, where the file does not tell its classes",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write every class's probability: FILE.csv, or FILE.json with failures"
    )
    parser.add_argument("--top", type=_positive, default=3, metavar="N", help="classes an image on the screen (3)")
    parser.add_argument("--batch-size", type=_positive, default=16, metavar="N", help="images at a time (16)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA if it can")
    parser.add_argument("--threads", type=_positive, metavar="N", help="CPU threads (as many as PyTorch takes)")
    parser.add_argument("--backend", metavar="NAME", help="of the scans (auto); `medmamba info` lists them")
    parser.add_argument(
        "--window",
        type=float,
        nargs=2,
        metavar=("CENTER", "WIDTH"),
        help="for grey DICOM files, in place of the window they carry, such as 40 400 for Hounsfield units",
    )
    add_series(parser)
    add_selection(parser)
    add_server(parser)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep what a server sends here (a temporary folder that is removed)"
    )
    parser.add_argument("--quiet", action="store_true", help="no table and no progress bar; failures are still listed")
    parser.set_defaults(run=_run)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text}")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    import torch

    from ..inference import RESULT_SUFFIXES, VolumePreprocessing

    out, window = arguments.out, arguments.window
    if out is not None and out.suffix.lower() not in RESULT_SUFFIXES:
        raise ValueError(f"expected --out FILE.csv or FILE.json, got {out}")
    if window is not None and not window[1] >= 1:
        raise ValueError(f"expected --window CENTER WIDTH with a width of 1 or more, got {window[1]:g}")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    classifier = _load(arguments)
    volumes = isinstance(classifier.preprocessing, VolumePreprocessing)
    if volumes and window is not None:
        raise ValueError("--window is for pictures: the weights of volumes say which intensities are taken")
    classifier = replace(classifier, preprocessing=with_series(classifier.preprocessing, arguments))
    with contextlib.ExitStack() as stack:
        folder = arguments.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="medmamba-"))
        found = find_images(arguments, folder, volumes)
        return _classify(arguments, classifier, found, torch.get_num_threads())


def _classify(arguments: argparse.Namespace, classifier: ImageClassifier, found: FoundImages, readers: int) -> int:
    from ..inference import Outcome, predict, write_results

    if not found.images:
        raise ValueError(f"no image to classify{reasons(found.failures)}")
    outcome = predict(
        classifier,
        found.images,
        batch_size=arguments.batch_size,
        readers=readers,
        window=None if arguments.window is None else tuple(arguments.window),
        progress=not arguments.quiet,
    )
    failures = found.failures + outcome.failures
    if arguments.keep is None:  # what a server sent is gone soon: its address stays
        failures = [failure._replace(image=found.shown.get(failure.image, failure.image)) for failure in failures]
        names = [found.shown.get(image, image) for image in outcome.predictions.images]
        outcome = Outcome(replace(outcome.predictions, images=names), failures)
    else:
        outcome = Outcome(outcome.predictions, failures)
    if arguments.out is not None:
        write_results(arguments.out, outcome, classifier)
    if not arguments.quiet:
        _show(outcome, arguments.top)
        tell_left_out(found.left_out)
        if arguments.out is not None:
            sys.stdout.write(f"written to {arguments.out}\n")
    return list_failures(failures, len(found.images) + len(found.failures), "classified")


def _load(arguments: argparse.Namespace) -> ImageClassifier:
    from ..inference import load_classifier, load_onnx_classifier

    weights, onnx = arguments.weights, arguments.onnx
    if weights is not None and weights.suffix.lower() == ".onnx":
        if onnx is not None:
            raise ValueError("expected one ONNX file, got one as --onnx and one as --weights")
        weights, onnx = None, weights
    if onnx is not None:
        if arguments.backend is not None:
            raise ValueError("--backend is for PyTorch; an ONNX file brings its own scan: leave it out")
        return load_onnx_classifier(onnx, weights, arguments.device, arguments.threads)
    if weights is None:
        raise ValueError("expected --weights model.safetensors, or --onnx model.onnx")
    return load_classifier(weights, arguments.device, arguments.backend)


def _show(outcome: Outcome, top: int) -> None:
    """Prints a line an image, and how often each class was the most probable, or each label was found."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..metrics import FindingPredictions

    # A pipe gets each image on a line of its own, however long.
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    found = outcome.predictions
    table = Table(box=None, pad_edge=False)
    table.add_column("image", overflow="fold")
    if isinstance(found, FindingPredictions):
        table.add_column("labels", overflow="fold")
        table.add_column("most probable", overflow="fold")
        rows, named = _findings(found, top), [name for names in found.found for name in names]
    else:
        table.add_column("class", overflow="fold")
        table.add_column("probability", justify="right")
        table.add_column("then" if top > 1 else "", overflow="fold")
        rows, named = _classes(found, top), [found.class_names[i] for i in found.predicted]
    for image, cells in zip(found.images, rows, strict=True):
        table.add_row(*(Text(cell) for cell in (shown(image), *cells)))  # Text: brackets in a name are no markup
    if found.images:
        console.print(table)
    tally = ", ".join(f"{name} {count}" for name, count in Counter(named).most_common())
    console.print(Text(f"{len(found.images)} images classified{': ' if tally else ''}{tally}"))


def _classes(found: Predictions, top: int) -> Iterator[tuple[str, ...]]:
    """Yields the class of each image, its probability, and the next ones."""
    for row in found.probabilities:
        best, *others = (-row).argsort(kind="stable")[:top]
        then = ", ".join(f"{found.class_names[i]} {row[i]:.3f}" for i in others)
        yield found.class_names[best], f"{row[best]:.3f}", then


def _findings(found: FindingPredictions, top: int) -> Iterator[tuple[str, ...]]:
    """Yields the labels found in each image, and the most probable ones."""
    for row, names in zip(found.probabilities, found.found, strict=True):
        first = (-row).argsort(kind="stable")[:top]
        yield ", ".join(names) or "none", ", ".join(f"{found.class_names[i]} {row[i]:.3f}" for i in first)
