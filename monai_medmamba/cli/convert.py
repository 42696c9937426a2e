"""``medmamba convert``: weights of the published code to ours, and back; of images to volumes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..networks import MedMamba

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "convert",
        help="convert weights of the published code to safetensors, or back; or inflate them for volumes",
        description="Convert weights. IN.pth (a state dict of the published code) becomes OUT.safetensors, which "
        "monai_medmamba.networks.load_weights reads; IN.safetensors becomes OUT.pth under the published names. "
        "Depths, widths, classes and channels are read from the keys; nothing in the file is executed. With --inflate, "
        "either becomes OUT.safetensors of a network for volumes (spatial_dims=3), to train further.",
        epilog="examples: medmamba convert MedMamba_T.pth tiny.safetensors --class-names polyp normal ulcer "
        "--image-size 224 --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5 | medmamba convert tiny.safetensors "
        "tiny3d.safetensors --inflate --channels 1 --slice-axis 0 --slice-patch 1 --slice-strides 1 2 2",
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
    volumes = parser.add_argument_group(
        "for volumes", "Patches and merging within slices stay those of IN; what they are along the slices is free."
    )
    volumes.add_argument("--inflate", action="store_true", help="write the weights of a network for volumes")
    volumes.add_argument(
        "--channels", type=int, metavar="N", help="of a volume: those of IN, or 1 for grey ones (as IN)"
    )
    volumes.add_argument("--slice-axis", type=int, choices=(0, 1, 2), default=2, help="along which slices follow (2)")
    volumes.add_argument("--slice-patch", type=int, default=4, metavar="VOXELS", help="edge of a patch there (4)")
    volumes.add_argument(
        "--slice-strides", type=int, nargs="+", metavar="1|2", help="of each merging there: 2 halves, 1 skips it (2)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import torch

    from ..files import atomic_path
    from ..networks import load_published, load_weights, save_weights, to_published

    source, target = arguments.source, arguments.target
    if arguments.inflate:
        network = _inflate(arguments)
    elif source.suffix == ".safetensors":
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


def _inflate(arguments: argparse.Namespace) -> MedMamba:
    """Writes the weights of a network for volumes and returns it."""
    from ..networks import MedMamba, inflate, load_published, load_weights, save_weights

    source, target, axis = arguments.source, arguments.target, arguments.slice_axis
    if target.suffix != ".safetensors":
        raise ValueError(f"{target}: expected a file ending in .safetensors for weights of volumes")
    names = arguments.class_names
    if source.suffix == ".safetensors":
        images, description = load_weights(source)
        names = names or description["class_names"]
    else:
        images = load_published(source)
    if images.spatial_dims != 2:
        raise ValueError(f"{source}: it is a network for volumes already; --inflate takes one for images")
    settings, merges = images.settings, images.merge_strides
    along = arguments.slice_strides or [2] * len(merges)
    if len(along) != len(merges):
        raise ValueError(f"--slice-strides: expected {len(merges)} numbers, one for each merging, got {len(along)}")
    proj = images.stem.proj
    settings |= {
        "spatial_dims": 3,
        "in_channels": arguments.channels or images.in_channels,
        "patch_size": _with(proj.kernel_size, axis, arguments.slice_patch),
        "patch_stride": _with(proj.stride, axis, arguments.slice_patch),
        "merge_strides": [_with(merge, axis, by) for merge, by in zip(merges, along, strict=True)],
    }
    network = inflate(images, MedMamba(**settings).eval(), slice_axis=axis)
    # What pictures went through says nothing of volumes: none is kept.
    save_weights(target, network, names or [str(i) for i in range(network.num_classes)], {})
    return network


def _with(numbers: tuple[int, ...], axis: int, number: int) -> list[int]:
    """Returns the numbers with one more at an axis."""
    return [*numbers[:axis], number, *numbers[axis:]]


def _preprocessing(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns what the options say of the images: everything, or nothing."""
    from ..inference import Preprocessing

    given = {name: getattr(arguments, name) for name in ("image_size", "mean", "std")}
    if all(value is None for value in given.values()):
        return {}
    return Preprocessing.from_description(
        {name: value for name, value in given.items() if value is not None}
    ).describe()
