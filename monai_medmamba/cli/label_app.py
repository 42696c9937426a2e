"""``medmamba label-app``: the folder of the application for MONAI Label."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]

EXAMPLES = """\
MONAI Label 0.8.5 wants an environment of its own: pip install "monai-medmamba[label]"

examples:
  monailabel start_server --app $(medmamba label-app) --studies images/ --conf models medmamba_endo --host 127.0.0.1
  monailabel start_server --app $(medmamba label-app --out app/) --studies http://pacs/dicom-web \\
      --conf models bundles/medmamba_xray,/data/my_bundle --conf modality CR,DX --host 127.0.0.1

Then open http://127.0.0.1:8000/medmamba/ to read images. Without --host the server listens to the whole network.
Models are names of bundles in `bundles/` or paths to bundles; their weights come from their `models/`. What the server
trains stays in the folder that this command prints. Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "label-app",
        help="print the folder of the application for MONAI Label",
        description="Make the folder that `monailabel start_server --app` takes, and print it. What was trained in it "
        "before stays.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where (default: monai_medmamba/label-app in XDG_DATA_HOME, else in ~/.local/share)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..label import write_app_folder

    sys.stdout.write(f"{write_app_folder(arguments.out)}\n")
    return 0
