"""The data of a run: a folder of the user's, or the embedded phantoms."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ..data import Datalist, DatasetError, build_datalist, describe, endoscopy_phantoms
from ..picture_formats import SUFFIXES

__all__ = ["list_images", "prepare_data"]

logger = logging.getLogger(__name__)


def prepare_data(dataset_dir: str | os.PathLike[str], seed: int = 0) -> Datalist:
    """Returns the checked data list of a folder, or that of the phantoms if no folder is named.

    Args:
        dataset_dir: class folders, ``train/val/test`` folders of class folders, or a folder with a CSV file; ``""``
            for the phantoms, which are made in the user's cache folder at first use.
        seed: of the split, where the folder has none of its own.

    Returns:
        The list, with classes, splits and counts.

    Raises:
        DatasetError: something in the folder would make a training wrong; every offender is named.

    Example:
        >>> prepare_data("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/folder...
    """
    if not os.fspath(dataset_dir):
        folder = endoscopy_phantoms()
        logger.warning(
            "no --dataset_dir given: using synthetic endoscopy phantoms in %s, which say nothing about patients", folder
        )
        dataset_dir = folder
    try:
        data = build_datalist(dataset_dir, seed=seed)
    except DatasetError as error:
        logger.error("%s", error)  # MONAI buries the exception under a traceback of its own
        raise
    logger.info("data of %s\n%s", dataset_dir, describe(data))
    return data


def list_images(folder: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Returns the images below a folder as a MONAI data list without labels, sorted by path.

    Args:
        folder: searched at any depth for png, jpg, bmp and tif files; or one such file; ``""`` for the phantoms.

    Returns:
        ``[{"image": path}, ...]``.

    Raises:
        DatasetError: there is no such folder, or no image in it.

    Example:
        >>> list_images("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/folder...
    """
    root = Path(folder) if os.fspath(folder) else endoscopy_phantoms()
    if root.is_file():
        return [{"image": str(root)}]
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DatasetError(
            f"a folder with {', '.join(SUFFIXES)} files at any depth",
            f"none in {root}" if root.exists() else f"no folder {root}",
            "Name the folder of images with --dataset_dir",
        )
    return [{"image": str(path)} for path in found]
