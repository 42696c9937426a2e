"""``medmamba export``: trained weights as a file for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]

EXAMPLES = """\
formats:
  onnx          standard operators, for ONNX Runtime and others (pip install "monai-medmamba[onnx]")
  torchscript   for libtorch and C++; loads without this package; any image size
  torch_export  a program of torch.export; import monai_medmamba.ops before loading it
  aotinductor   compiled for this kind of processor, the fastest (needs a C++ compiler); import
                monai_medmamba.ops before loading it

examples:
  medmamba export model.safetensors --format onnx --out model.onnx
  medmamba predict images/ --onnx model.onnx
  medmamba export model.pt --format onnx --size 224 --dynamic-size --out model.onnx
  medmamba export model.safetensors --format torchscript --backend auto --out fast.ts
  medmamba export model.safetensors --format aotinductor --out model.pt2

The batch is free in every format. Before it takes its place, a file is run and compared with the network: one
whose probabilities are off by more than 0.0001 is not kept.
exit status: 0 written, 1 not written (the message says why)

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "export",
        help="write trained weights as ONNX, TorchScript, torch.export or AOTInductor",
        description="Write trained weights as a file for other programs: images, normalised as in training, go in;\n"
        "logits come out. Class names and preprocessing are kept inside the file.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "weights", type=Path, metavar="WEIGHTS", help="model.safetensors or model.pt of a training, or of `convert`"
    )
    parser.add_argument(
        "--format", choices=("onnx", "torchscript", "torch_export", "aotinductor"), default="onnx", help="(onnx)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="to write: .onnx, .ts, or .pt2 for the last two"
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs="+",
        metavar="PIXELS",
        help="edge of the image, or each edge (the size of the training, where the weights say it)",
    )
    parser.add_argument(
        "--dynamic-size", action="store_true", help="take images of every size of 32 pixels or more (may be slower)"
    )
    parser.add_argument(
        "--backend",
        metavar="NAME",
        help="for torchscript: auto calls the fastest scan of the machine that loads the file, which must import "
        "monai_medmamba.ops first (chunked: written out, slower, needs nothing)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..export import export_weights

    found = export_weights(
        arguments.weights,
        arguments.out,
        arguments.format,
        size=arguments.size,
        dynamic_size=arguments.dynamic_size,
        backend=arguments.backend,
    )
    shape = ", ".join(str(length) for length in found.input_shape)
    checked = (
        "not compared with PyTorch: pip install onnxruntime to do so"
        if found.probability_off is None
        else f"probabilities within {found.probability_off:.0e} of PyTorch's"
    )
    sys.stdout.write(
        f"{found.path}: {found.format}, {found.bytes / 1e6:.1f} MB, images ({shape}); {found.remark}; {checked}\n"
    )
    return 0
