"""``medmamba convert``: weights of the published code to ours, and back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "convert",
        help="convert weights of the published code to safetensors, or back",
        description="Convert weights. IN.pth (a state dict of the published code) becomes OUT.safetensors, which "
        "monai_medmamba.networks.load_weights reads; IN.safetensors becomes OUT.pth under the published names. "
        "Depths, widths, classes and channels are read from the keys; nothing in the file is executed.",
        epilog="example: medmamba convert MedMamba_T.pth tiny.safetensors --class-names polyp normal ulcer "
        "--image-size 224 --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5",
    )
    parser.add_argument("source", type=Path, metavar="IN", help="the .pth, .pt or .safetensors file to read")
    parser.add_argument("target", type=Path, metavar="OUT", help="the .safetensors or .pth file to write")
    parser.add_argument("--class-names", nargs="+", metavar="NAME", help="one a class, in order (default: 0, 1, ...)")
    images = parser.add_argument_group(
        "what the weights' images went through",
        "A published file does not say it, and `medmamba predict` needs it: give all three or none.",
    )
    images.add_argument("--image-size", type=int, metavar="PIXELS", help="side of the square")
    images.add_argument("--mean", type=float, nargs=3, metavar=("R", "G", "B"), help="subtracted from values in [0, 1]")
    images.add_argument("--std", type=float, nargs=3, metavar=("R", "G", "B"), help="divides them afterwards")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import torch

    from ..files import atomic_path
    from ..networks import load_published, load_weights, save_weights, to_published

    source, target = arguments.source, arguments.target
    if source.suffix == ".safetensors":
        network, _description = load_weights(source)
        with atomic_path(target) as temporary:
            torch.save(to_published(network.state_dict()), temporary)
    elif target.suffix == ".safetensors":
        network = load_published(source)
        names = arguments.class_names or [str(i) for i in range(network.num_classes)]
        save_weights(target, network, names, _preprocessing(arguments))
    else:
        raise ValueError(f"expected a .safetensors file on one side, got {source.name} and {target.name}")
    count = sum(parameter.numel() for parameter in network.parameters())
    sys.stdout.write(
        f"{target}: MedMamba with depths {network.depths}, dims {network.dims}, {network.num_classes} classes, "
        f"{count / 1e6:.2f} million parameters\n"
    )
    return 0


def _preprocessing(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns what the options say of the images: everything, or nothing."""
    from ..inference import Preprocessing

    given = {name: getattr(arguments, name) for name in ("image_size", "mean", "std")}
    if all(value is None for value in given.values()):
        return {}
    return Preprocessing.from_description(
        {name: value for name, value in given.items() if value is not None}
    ).describe()
