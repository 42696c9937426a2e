"""``medmamba explain``: which parts of images count for a class."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .failures import list_failures, reasons, shown

__all__ = ["add_to"]

METHODS = ("occlusion", "gradcam", "hirescam", "scan")
EXAMPLES = """\
methods:
  scan       the evidence of each place, traced through the selective scans to where they collected it (the default)
  occlusion  how far the probability falls when a square hides each part; some 200 forward passes
  gradcam    Grad-CAM on the last stage
  hirescam   HiResCAM on the last stage but one; equals Grad-CAM on the last

examples:
  medmamba explain scan.png --weights model.safetensors
  medmamba explain images/ --weights model.safetensors --method all --areas --out explained
  medmamba explain images/*.jpg --weights model.pt --method scan gradcam --class polyp

DIR gets an overlay an image and method, a picture of the four directions, and explanations.json. With --areas, deletion
(lower is better) and insertion (higher is better) tell how far each map points at what the network goes by.
A file that cannot be read is passed over and listed at the end with the reason.
exit status: 0 all images explained, 1 nothing done (the message says why), 2 some images could not be read

scan and occlusion were better than chance on every network that was tried, scan by more; try yours with --areas.
A map shows what moved the network, not what is ill. Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "explain",
        help="show which parts of images count for a class",
        description="Write pictures that show which parts of images speak for a class, and a JSON file about them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="+", metavar="IMAGES", help="files, folders and patterns, as for `predict`")
    parser.add_argument("--weights", type=Path, required=True, metavar="W", help="model.safetensors or model.pt")
    parser.add_argument(
        "--method",
        nargs="+",
        choices=(*METHODS, "all"),
        default=["scan"],
        metavar="M",
        help="see below (scan)",
    )
    parser.add_argument("--class", dest="class_name", metavar="NAME", help="to explain (each image's most probable)")
    parser.add_argument("--out", type=Path, default=Path("explained"), metavar="DIR", help="to write into (explained)")
    parser.add_argument("--stage", type=int, metavar="N", help="whose map is taken, from 0; not for occlusion")
    parser.add_argument("--areas", action="store_true", help="measure deletion and insertion of each map as well")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA if it can")
    parser.add_argument("--backend", metavar="NAME", help="of the scans (auto); `medmamba info` lists them")
    parser.add_argument(
        "--window", type=float, nargs=2, metavar=("CENTER", "WIDTH"), help="for grey DICOM files, as for `predict`"
    )
    parser.add_argument("--quiet", action="store_true", help="no list and no progress bar; failures are still listed")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..explain import explain_pictures
    from ..inference import find_pictures

    window = arguments.window
    if window is not None and not window[1] >= 1:
        raise ValueError(f"expected --window CENTER WIDTH with a width of 1 or more, got {window[1]:g}")
    images, missed = find_pictures(arguments.images)
    if not images:
        raise ValueError(f"no image to explain{reasons(missed)}")
    found, failures = explain_pictures(
        arguments.weights,
        images,
        arguments.out,
        methods=METHODS if "all" in arguments.method else list(dict.fromkeys(arguments.method)),
        class_name=arguments.class_name,
        stage=arguments.stage,
        areas=arguments.areas,
        device=arguments.device,
        backend=arguments.backend,
        window=None if window is None else tuple(window),
        failures=missed,
        progress=not arguments.quiet,
    )
    if not arguments.quiet:
        for explanation in found:
            probability = explanation.probabilities[explanation.explained]
            files = ", ".join(filter(None, (*explanation.overlays.values(), explanation.directions)))
            sys.stdout.write(f"{shown(explanation.image)}: {explanation.explained} {probability:.3f}: {files}\n")
        sys.stdout.write(f"{len(found)} images explained in {arguments.out}\n")
    return list_failures(failures, len(images) + len(missed), "explained")
