"""Time exported files on a CPU beside the network they were made from: ``python benchmarks/exports.py``.

Every file is run in a process of its own, each right after one that runs the network itself, with the same images,
batch 1. ``--images`` names a folder of pictures for the comparison of probabilities; without it the images are random.
Without ``--weights`` the network is MedMamba-T with random weights whose statistics and logits spread as after
training.
The record is ``benchmarks/results/<date>-exports-<device>.json``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from inference import settle
from record import Record
from targets import RESULTS, print_targets, write_targets
from timing import milliseconds

from monai_medmamba.export import FORMATS, export_weights
from monai_medmamba.inference import Preprocessing, find_pictures
from monai_medmamba.inference.classifier import read_weights
from monai_medmamba.networks import compile_network, create_medmamba, save_weights
from monai_medmamba.ops.cross_selective_scan import cpu

# Name of a row, format, and the backend that TorchScript is made with.
FILES = [*((kind.name, kind.name, None) for kind in FORMATS), ("torchscript (operator)", "torchscript", "auto")]
COMPARED = 16  # pictures


def parse() -> argparse.Namespace:
    """Return what the user asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="of a training; its description names the image size")
    parser.add_argument("--variant", default="tiny", help="of random weights (tiny)")
    parser.add_argument("--size", type=int, default=224, help="of random weights' images (224)")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="of pictures, at any depth")
    parser.add_argument("--names", nargs="+", choices=[name for name, *_ in FILES], help="of files; all if left out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--out", type=Path, help="folder of the record; benchmarks/results if not given")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)  # what a process of its own does
    return parser.parse_args()


def random_weights(path: Path, variant: str, size: int) -> None:
    """Write weights whose probabilities differ from image to image."""
    torch.manual_seed(0)
    network = create_medmamba(variant, num_classes=6)
    settle(network, torch.randn(4, 3, 64, 64))
    with torch.no_grad():
        logits = network(torch.randn(8, 3, size, size))
        network.head.weight.div_((logits - logits.mean(0)).std())
        network.head.bias.zero_()
    save_weights(path, network, list("abcdef"), {"image_size": size, "mean": [0.5] * 3, "std": [0.25] * 3})


def read_images(weights: Path, folder: Path | None) -> torch.Tensor:
    """Return the images to compare: pictures spread over a folder, or random values."""
    preprocessing = Preprocessing.from_description(read_weights(weights)[1]["preprocessing"])
    if folder is None:
        return torch.randn(COMPARED, 3, preprocessing.image_size, preprocessing.image_size)
    pictures, _failures = find_pictures([str(folder)])
    return torch.stack([preprocessing.read(path) for path in pictures[:: max(1, len(pictures) // COMPARED)][:COMPARED]])


def work(name: str, path: str, folder: Path, threads: int, repeats: int) -> None:
    """Time one file, or the network, and keep its probabilities: what a process of its own does."""
    torch.set_num_threads(threads)
    images = torch.load(folder / "images.pt")
    if name in ("eager", "torch.compile"):
        network, _description = read_weights(path)
        run = network if name == "eager" else compile_network(network.fuse())
    else:
        kinds = {label: kind for label, kind, _backend in FILES}
        run = next(kind for kind in FORMATS if kind.name == kinds[name]).load(Path(path))
    with torch.no_grad():
        took = milliseconds(lambda: run(images[:1]), torch.device("cpu"), repeats=repeats, warm_up=5)
        torch.save(torch.cat([run(image[None]) for image in images]).softmax(1), folder / f"{name}.pt")
    print(json.dumps({"ms": took}))


def beside(name: str, path: Path, folder: Path, arguments: argparse.Namespace) -> dict:
    """Return the time and the largest difference of a probability, in a process of its own."""
    words = [sys.executable, "-W", "ignore", __file__, "--run", name, str(path), str(folder)]
    words += ["--threads", str(arguments.threads), "--repeats", str(arguments.repeats)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-300:])
    return json.loads(done.stdout.splitlines()[-1])


def compare(name: str, path: Path, weights: Path, folder: Path, arguments: argparse.Namespace) -> dict:
    """Return the figures of a file beside those of the network, measured just before it."""
    eager = beside("eager", weights, folder, arguments)["ms"]
    took = beside(name, path, folder, arguments)["ms"]
    found, expected = (torch.load(folder / f"{who}.pt") for who in (name, "eager"))
    off = (found - expected).abs().max().item()
    spread = (expected.max(0).values - expected.min(0).values).max().item()
    figures = {"ms": took, "eager_ms": eager, "times_eager": round(took / eager, 3)}
    return figures | {"probability_off": float(f"{off:.2g}"), "probability_spread": round(spread, 3)}


def measure(record: Record, folder: Path, arguments: argparse.Namespace) -> None:
    """Write every file and record its figures."""
    weights = arguments.weights
    if weights is None:
        weights = folder / "weights.safetensors"
        random_weights(weights, arguments.variant, arguments.size)
    torch.save(read_images(weights, arguments.images), folder / "images.pt")

    def export(name: str, kind: str, backend: str | None) -> dict:
        suffix = next(known.suffix for known in FORMATS if known.name == kind)
        began = time.perf_counter()
        found = export_weights(weights, folder / f"file{suffix}", kind, backend=backend)
        written = {"write_seconds": round(time.perf_counter() - began, 1), "bytes": found.bytes, "remark": found.remark}
        return compare(name, found.path, weights, folder, arguments) | written

    for name, kind, backend in FILES:
        if arguments.names is None or name in arguments.names:
            record.row({"what": "export", "name": name}, lambda row=(name, kind, backend): export(*row))
    if arguments.names is None:
        record.row(
            {"what": "export", "name": "torch.compile"},
            lambda: compare("torch.compile", weights, weights, folder, arguments),
        )


def main() -> int:
    """Measure every file, and keep the record."""
    arguments = parse()
    if arguments.run:
        name, path, folder = arguments.run
        work(name, path, Path(folder), arguments.threads, arguments.repeats)
        return 0
    torch.set_num_threads(arguments.threads)
    device = f"cpu-{cpu.ISA_NAMES[cpu.best_isa()]}"
    notes = {
        "threads": arguments.threads,
        "weights": "random" if arguments.weights is None else "trained",
        "variant": arguments.variant if arguments.weights is None else None,
        "size": arguments.size if arguments.weights is None else None,
        "images": "random" if arguments.images is None else arguments.images.name,
    }
    path = (arguments.out or RESULTS) / f"{Record.today()}-exports-{device.lower()}.json"
    record = Record(path, device, float("inf"), notes)
    with tempfile.TemporaryDirectory() as folder:
        record.run_section("exports", lambda: measure(record, Path(folder), arguments))
    print_targets(record.content, path.name)
    if path.parent == RESULTS:
        write_targets()
    print(path)
    return int(any("failed" in row for row in record.rows) or "failed" in record.content["sections"]["exports"])


if __name__ == "__main__":
    sys.exit(main())
