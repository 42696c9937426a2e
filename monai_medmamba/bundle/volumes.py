"""The volumes of a run: a folder of the user's, a file of MedMNIST3D, or the embedded phantoms."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..data import (
    Datalist,
    DatasetError,
    build_volume_datalist,
    chest_phantoms,
    describe,
    unpack_medmnist3d,
)
from ..data.exclusion import is_excluded
from ..data.volume_content import find_volumes
from .layout_arguments import layout_arguments

__all__ = ["list_volumes", "prepare_volumes"]

logger = logging.getLogger(__name__)


def prepare_volumes(
    dataset_dir: str | os.PathLike[str], seed: int = 0, layout: Mapping[str, Any] | None = None
) -> Datalist:
    """Returns the checked data list of volumes, or that of the phantoms if nothing is named.

    Args:
        dataset_dir: class folders of volumes, ``train/val/test`` folders of class folders, or a folder with a CSV file;
            an ``.npz`` file of MedMNIST3D, which is unpacked into the user's cache folder; ``""`` for the phantoms,
            which are made there at first use.
        seed: of the split, where the data have none of their own.
        layout: how the data are laid out: arguments of ``build_volume_datalist`` by name.

    Returns:
        The list, with classes, splits and counts.

    Raises:
        DatasetError: something in the data would make a training wrong, every offender is named; or ``layout`` has an
            argument that is not known.

    Example:
        >>> prepare_volumes("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/folder...
    """
    try:
        arguments = layout_arguments(layout, build_volume_datalist)
        data = build_volume_datalist(_folder(dataset_dir), seed=seed, **arguments)
    except DatasetError as error:
        logger.error("%s", error)  # MONAI buries the exception under a traceback of its own
        raise
    logger.info("volumes of %s\n%s", data.root, describe(data))
    return data


def list_volumes(path: str | os.PathLike[str], layout: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    """Returns the volumes of a folder as a MONAI data list without labels, sorted by path.

    Args:
        path: a folder that is searched at any depth for NIfTI files, folders with a DICOM series, and DICOM files of
            several frames; or one of these; or an ``.npz`` file of MedMNIST3D; ``""`` for the phantoms.
        layout: as in ``prepare_volumes``; its ``exclude`` is heeded.

    Returns:
        ``[{"image": path}, ...]``.

    Raises:
        DatasetError: there is no such folder, or no volume in it.

    Example:
        >>> list_volumes("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/folder...
    """
    root = _folder(path)
    if root.is_file():
        return [{"image": str(root)}]
    exclude = (layout or {}).get("exclude", ())
    every = find_volumes(root)
    found = [one for one in every if one == root or not is_excluded(one.relative_to(root).as_posix(), exclude)]
    if not found:
        raise DatasetError(
            "a folder with .nii or .nii.gz files or DICOM series at any depth",
            f"none in {root}" if root.exists() else f"no folder {root}",
            "Name the folder of volumes with --dataset_dir",
        )
    return [{"image": str(one)} for one in found]


def _folder(named: str | os.PathLike[str]) -> Path:
    """Returns where the volumes lie, once they have been made or unpacked."""
    if not os.fspath(named):
        folder = chest_phantoms()
        text = "no --dataset_dir given: using synthetic chest phantoms in %s, which say nothing about patients"
        logger.warning(text, folder)
        return folder
    path = Path(os.path.abspath(os.path.expanduser(named)))
    return unpack_medmnist3d(path) if path.suffix.lower() == ".npz" else path
