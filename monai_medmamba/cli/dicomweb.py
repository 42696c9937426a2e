"""``medmamba dicomweb``: series of a DICOMweb server as a folder of files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .dicom_images import TOKEN, add_selection, add_server, fetch, tell_left_out
from .failures import list_failures

__all__ = ["add_to"]

EXAMPLES = f"""\
examples:
  medmamba dicomweb https://pacs.example/dicom-web --modality CR DX --body-part CHEST --out chest/
  python -m monai.bundle run inferring --config_file bundles/medmamba_xray/configs/inference.json --dataset_dir chest/

DIR gets <study>/<series>/<instance>.dcm. What is there already is not fetched again. The files hold the patients' data.
user:password@ before the host, or the environment variable {TOKEN}, says who is asking.
An instance that cannot be had is passed over and listed at the end with the reason.
exit status: 0 all fetched, 1 nothing done (the message says why), 2 some could not be had
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "dicomweb",
        help="fetch series of a DICOMweb server into a folder",
        description="Fetch DICOM series of a DICOMweb server (QIDO-RS and WADO-RS) into a folder, for bundles and for\n"
        "`medmamba predict`, which also takes the address itself.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("address", metavar="ADDRESS", help="root of its services: https://pacs.example/dicom-web")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="to write into")
    add_selection(parser)
    add_server(parser)
    parser.add_argument("--quiet", action="store_true", help="no summary and no progress bar; failures are listed")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..dicom.dicomweb_client import is_address
    from ..inference import Failure

    if not is_address(arguments.address):
        raise ValueError(f"expected an address such as https://pacs.example/dicom-web, got {arguments.address}")
    found = fetch(arguments.address, arguments.out, arguments)
    if not arguments.quiet:
        sys.stdout.write(f"{len(found.files)} instances in {arguments.out}\n")
        tell_left_out(found.left_out)
    if not found.files and not found.missed:
        raise ValueError("the server has no series that is meant; see --modality, --body-part and --study")
    failures = [Failure(*missed) for missed in found.missed]
    return list_failures(failures, len(found.files) + len(failures), "fetched")
