"""``medmamba overlay``: where an overlay lies, for the command line of MONAI."""

from __future__ import annotations

import argparse
import sys

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "overlay",
        help="say where an overlay for bundles lies, or list them",
        description="Write the path of an overlay: a config that MONAI lays over a bundle's own to change one thing "
        "about its training. Without a name, list them.",
        epilog="example: python -m monai.bundle run training --config_file "
        "\"['bundles/medmamba_endo/configs/train.json','$(medmamba overlay ema)']\"",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the overlay")
    parser.add_argument("--show", action="store_true", help="write its content instead of its path")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..bundle import find_overlay, list_overlays

    if arguments.name is None:
        overlays = list_overlays()
        width = max(len(overlay.name) for overlay in overlays)
        sys.stdout.write("".join(f"{overlay.name:{width}}  {overlay.purpose}\n" for overlay in overlays))
        return 0
    overlay = find_overlay(arguments.name)
    sys.stdout.write(overlay.path.read_text(encoding="utf-8") if arguments.show else f"{overlay.path}\n")
    return 0
