"""Which series of a folder is meant, and what becomes of missing slices: options of commands that take volumes."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference import Preprocessing, VolumePreprocessing

__all__ = ["add_series", "with_series"]


def add_series(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "--series", metavar="UID", help="of volumes: which DICOM series of a folder that holds several, or largest"
    )
    parser.add_argument(
        "--missing", choices=("refuse", "interpolate"), help="of volumes: what to do about missing slices (refuse)"
    )


def with_series(
    preprocessing: Preprocessing | VolumePreprocessing, arguments: argparse.Namespace
) -> Preprocessing | VolumePreprocessing:
    """Returns the preprocessing with what the options say; raises ValueError where they do not fit it."""
    from ..inference import VolumePreprocessing

    told = {name: getattr(arguments, name) for name in ("series", "missing") if getattr(arguments, name) is not None}
    if not told:
        return preprocessing
    if not isinstance(preprocessing, VolumePreprocessing):
        raise ValueError(f"--{' and --'.join(told)} for volumes alone, and these weights are for pictures")
    return replace(preprocessing, **told)
