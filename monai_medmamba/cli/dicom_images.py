"""Images of a command that may be on a DICOMweb server, and those of a modality or body part alone."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..dicom import FetchedSeries, Selection
    from ..inference import Failure

__all__ = ["TOKEN", "FoundImages", "add_selection", "add_server", "fetch", "find_images", "tell_left_out"]

TOKEN = "MEDMAMBA_DICOMWEB_TOKEN"
"""Environment variable with a bearer token: on a command line others could read it."""


class FoundImages(NamedTuple):
    """Paths of images, the names to show for them, what could not be had, and how many a selection left out."""

    images: list[str]
    shown: dict[str, str]
    failures: list[Failure]
    left_out: int


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Adds the options that choose DICOM series."""
    parser.add_argument(
        "--modality", nargs="+", default=[], metavar="M", help="take DICOM series of these modalities alone: CR DX"
    )
    parser.add_argument(
        "--body-part", nargs="+", default=[], metavar="P", help="take series whose Body Part Examined is one of these"
    )


def add_server(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a DICOMweb server."""
    parser.add_argument(
        "--study", nargs="+", default=[], metavar="UID", help="of a server, these StudyInstanceUIDs alone"
    )
    parser.add_argument(
        "--limit", type=int, default=1000, metavar="N", help="take nothing from a server that means more (1000)"
    )
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds for each request (30)")


def find_images(arguments: argparse.Namespace, folder: str | os.PathLike[str], volumes: bool = False) -> FoundImages:
    """Returns the images that names, patterns and addresses stand for.

    Args:
        arguments: With ``images`` and the options that this module adds.
        folder: Where to keep what a server sends.
        volumes: Whether to look for volumes in place of pictures.

    Returns:
        What was found; an image of a server is shown by its address.

    Raises:
        OSError: A server cannot be used, or the folder not be written.
        ValueError: Volumes are wanted of a server, or by modality or body part.
    """
    from ..dicom import select_files
    from ..dicom.dicomweb_client import is_address
    from ..inference import Failure, find_pictures, find_volumes

    if volumes:
        selected = arguments.modality or arguments.body_part
        if selected or any(is_address(name) for name in arguments.images):
            raise ValueError(
                "these weights are for volumes: name files and folders, without --modality and --body-part; "
                "`medmamba dicomweb` fetches from a server"
            )
        found, missed = find_volumes(arguments.images)
        return FoundImages(found, {}, missed, 0)
    selection = _selection(arguments)
    images, failures = find_pictures([name for name in arguments.images if not is_address(name)])
    images, others = select_files(images, selection)
    left_out = len(others)
    shown: dict[str, str] = {}
    for address in filter(is_address, arguments.images):
        fetched = fetch(address, folder, arguments)
        shown |= fetched.files
        images = list(dict.fromkeys([*images, *fetched.files]))
        failures += [Failure(*missed) for missed in fetched.missed]
        left_out += fetched.left_out
    return FoundImages(images, shown, failures, left_out)


def fetch(address: str, folder: str | os.PathLike[str], arguments: argparse.Namespace) -> FetchedSeries:
    """Fetches what the options mean from a server; raises as ``fetch_series`` does."""
    from ..dicom import fetch_series

    return fetch_series(
        address,
        Path(folder),
        _selection(arguments),
        studies=arguments.study,
        limit=arguments.limit,
        timeout=arguments.timeout,
        token=os.environ.get(TOKEN),
        progress=not arguments.quiet,
    )


def tell_left_out(count: int) -> None:
    """Writes how many files and series a selection left out."""
    if count:
        sys.stdout.write(f"{count} files and series left out by --modality, --body-part or as no pictures\n")


def _selection(arguments: argparse.Namespace) -> Selection:
    from ..dicom import Selection, split_words

    return Selection(split_words(arguments.modality), split_words(arguments.body_part))
