"""The command ``medmamba``, thin over the rooms."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: the words after ``medmamba``; None for those of the process.

    Returns:
        The exit status: 0 done, 1 an error that the message explains, 2 wrong usage (raised by argparse).

    Example:
        >>> main(["convert", "missing.pth", "out.safetensors"])
        1
    """
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    try:
        arguments.run(arguments)
    except (ValueError, OSError, RuntimeError) as error:
        sys.stderr.write(f"medmamba {arguments.command}: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    from .version import __version__

    parser = argparse.ArgumentParser(
        prog="medmamba",
        description="MedMamba for MONAI. Training, evaluation and inference run through MONAI bundles: "
        "python -m monai.bundle run training --config_file bundles/medmamba_endo/configs/train.json",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    info = commands.add_parser("info", help="show versions, devices, and which backends of the scan can run here")
    info.set_defaults(run=_info)

    convert = commands.add_parser(
        "convert",
        help="convert weights of the published code to safetensors, or back",
        description="Convert weights. IN.pth (a state dict of the published code) becomes OUT.safetensors, which "
        "monai_medmamba.networks.load_weights reads; IN.safetensors becomes OUT.pth under the published names. "
        "Depths, widths, classes and channels are read from the keys; nothing in the file is executed.",
        epilog="example: medmamba convert MedMamba_T.pth tiny.safetensors --class-names polyp normal ...",
    )
    convert.add_argument("source", type=Path, metavar="IN", help="the .pth, .pt or .safetensors file to read")
    convert.add_argument("target", type=Path, metavar="OUT", help="the .safetensors or .pth file to write")
    convert.add_argument("--class-names", nargs="+", metavar="NAME", help="one a class, in order (default: 0, 1, ...)")
    convert.set_defaults(run=_convert)

    report = commands.add_parser(
        "report",
        help="write the report page of a run again",
        description="Write RUN/report.html from the files that training and evaluation left in the folder RUN.",
    )
    report.add_argument("folder", type=Path, metavar="RUN", help="a bundle's output folder")
    report.add_argument("--title", default="MedMamba", help="of the page")
    report.set_defaults(run=_report)
    return parser


def _info(arguments: argparse.Namespace) -> None:
    del arguments
    from .information import print_information

    print_information()


def _convert(arguments: argparse.Namespace) -> None:
    import torch

    from .files import atomic_path
    from .networks import load_published, load_weights, save_weights, to_published

    source, target = arguments.source, arguments.target
    if source.suffix == ".safetensors":
        network, _description = load_weights(source)
        with atomic_path(target) as temporary:
            torch.save(to_published(network.state_dict()), temporary)
    elif target.suffix == ".safetensors":
        network = load_published(source)
        names = arguments.class_names or [str(i) for i in range(network.num_classes)]
        save_weights(target, network, names, {})
    else:
        raise ValueError(f"expected a .safetensors file on one side, got {source.name} and {target.name}")
    count = sum(parameter.numel() for parameter in network.parameters())
    sys.stdout.write(
        f"{target}: MedMamba with depths {network.depths}, dims {network.dims}, {network.num_classes} classes, "
        f"{count / 1e6:.2f} million parameters\n"
    )


def _report(arguments: argparse.Namespace) -> None:
    from .visualize import write_report

    sys.stdout.write(f"{write_report(arguments.folder, title=arguments.title)}\n")
