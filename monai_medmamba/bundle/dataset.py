"""The data of a run: a folder of the user's, or the embedded phantoms."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..data import Datalist, DatasetError, build_datalist, describe, endoscopy_phantoms, layout_phantoms
from ..data.exclusion import is_excluded
from ..data.medmnist_file import ARRAY_SUFFIX
from ..data.medmnist_images import unpack_medmnist
from ..data.volume_content import dicom_has_picture, has_dicom_mark
from ..picture_formats import SUFFIXES

__all__ = ["list_images", "prepare_data"]

logger = logging.getLogger(__name__)


def prepare_data(
    dataset_dir: str | os.PathLike[str], seed: int = 0, layout: Mapping[str, Any] | None = None
) -> Datalist:
    """Returns the checked data list of a data set, or that of phantoms if none is named.

    Args:
        dataset_dir: class folders, ``train/val/test`` folders of class folders, a folder with a CSV file, or an
            ``.npz`` file of MedMNIST's form; ``""`` for phantoms, which are made in the user's cache folder at first
            use.
        seed: of the split, where the data set has none of its own.
        layout: how the data set is laid out: arguments of ``build_datalist`` by name. Its ``phantoms`` says what to
            draw instead of endoscopy, as ``{"classes": [...], "layout": "pad_ufes_20", "grey": False}`` with arguments
            of ``layout_phantoms``.

    Returns:
        The list, with classes, splits and counts.

    Raises:
        DatasetError: something in the data set would make a training wrong, every offender is named; or ``layout`` has
            an argument that is not known.

    Example:
        >>> prepare_data("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/folder...
    """
    try:
        arguments = _arguments(layout)
        folder = _folder(dataset_dir, layout)
        data = build_datalist(folder, seed=seed, **arguments)
    except DatasetError as error:
        logger.error("%s", error)  # MONAI buries the exception under a traceback of its own
        raise
    logger.info("data of %s\n%s", folder, describe(data))
    return data


def list_images(folder: str | os.PathLike[str], layout: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    """Returns the images below a folder as a MONAI data list without labels, sorted by path.

    Args:
        folder: searched at any depth for png, jpg, bmp, tif and DICOM files, these by any name, without those that hold
            no picture; or one such file; or an ``.npz`` file of MedMNIST's form; ``""`` for phantoms.
        layout: as in ``prepare_data``; its ``phantoms`` and its ``exclude`` are heeded.

    Returns:
        ``[{"image": path}, ...]``.

    Raises:
        DatasetError: there is no such folder, or no image in it.

    Example:
        >>> list_images("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/folder...
    """
    root = Path(_folder(folder, layout))
    if root.is_file() and root.suffix.lower() == ARRAY_SUFFIX:
        root = unpack_medmnist(root)
    elif root.is_file():
        return [{"image": str(root)}]
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if _is_picture(path))
    wanted = [name for name in names if not is_excluded(name, (layout or {}).get("exclude", ()))]
    if not wanted:
        raise DatasetError(
            f"a folder with {', '.join(SUFFIXES)} or DICOM files at any depth",
            f"none in {root}" if root.exists() else f"no folder {root}",
            "Name the folder of images with --dataset_dir",
        )
    return [{"image": str(root / name)} for name in wanted]


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.name.startswith(".") or path.name == "DICOMDIR" or not path.is_file():
        return False
    return has_dicom_mark(path) and dicom_has_picture(path)


def _folder(dataset_dir: str | os.PathLike[str], layout: Mapping[str, Any] | None) -> str | os.PathLike[str]:
    """Returns the data set, or the phantoms in its place."""
    if os.fspath(dataset_dir):
        return dataset_dir
    wanted = dict((layout or {}).get("phantoms") or {})
    kind = "cartoon" if wanted else "endoscopy"
    if wanted:
        _check_known("phantoms", wanted, {"classes", "layout"}, layout_phantoms, {"class_names", "out"})
        drawn = layout_phantoms(wanted.pop("classes"), wanted.pop("layout"), **wanted)
    else:
        drawn = endoscopy_phantoms()
    logger.warning(
        "no --dataset_dir given: using synthetic %s phantoms in %s, which say nothing about patients",
        kind,
        drawn,
    )
    return drawn


def _arguments(layout: Mapping[str, Any] | None) -> dict[str, Any]:
    arguments = {name: value for name, value in (layout or {}).items() if name != "phantoms"}
    _check_known("layout", arguments, set(), build_datalist, {"dataset_dir", "seed"})
    if "fractions" in arguments:
        arguments["fractions"] = tuple(arguments["fractions"])
    return arguments


def _check_known(
    what: str, given: Mapping[str, Any], needed: set[str], function: Callable[..., object], others: set[str]
) -> None:
    """Refuses keys that ``function`` does not take, and the lack of one that is needed."""
    known = (set(inspect.signature(function).parameters) - others) | needed
    wrong = [*sorted(given.keys() - known), *sorted(f"no {name}" for name in needed - given.keys())]
    if wrong:
        raise DatasetError(f"{what} with {', '.join(sorted(known))}", ", ".join(wrong), "Correct the bundle's config")
