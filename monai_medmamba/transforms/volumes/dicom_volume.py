"""Reads DICOM series and multi-frame DICOM files as volumes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_values import (
    in_one_line,
    lift_functional_groups,
    modality_values,
    stored_range,
    stored_values,
)
from monai_medmamba.transforms.volumes.dicom_series import choose_series, find_series
from monai_medmamba.transforms.volumes.dicom_slices import Slice, list_slices
from monai_medmamba.transforms.volumes.fill_grid import fill_grid
from monai_medmamba.transforms.volumes.slice_grid import plan_grid
from monai_medmamba.transforms.volumes.volume import MAX_VOXELS, Volume, check_nibabel, check_values, to_ras

if TYPE_CHECKING:
    from pydicom import Dataset

logger = logging.getLogger(__name__)

AIR = -1024.0  # Hounsfield units: the lowest value of most scanners
MEASURED = ("CT", "PT")  # their values are quantities; MONOCHROME1 tells how to show them, no more


def read_dicom_volume(path: str | os.PathLike[str], series: str | None = None, missing: str = "refuse") -> Volume:
    """Reads the slices of a series, or the frames of a file, as a volume. Needs pydicom 3 and nibabel.

    Slices are sorted by their place in space, whatever their names and numbers. Values go through rescale or
    modality table, each slice through its own. ``MONOCHROME1`` is inverted within the range of its bits, so that high
    is bright, except where values are measured quantities (CT and PET).

    Args:
        path: A folder, searched at any depth, or a file.
        series: Which series of several: its SeriesInstanceUID, ``"largest"``, or None for the only one that can be
            meant.
        missing: ``"refuse"`` missing slices, or ``"interpolate"`` them.

    Returns:
        The volume, turned to right, front and head. Voxels that no slice covers are -1024 in a CT, else 0.

    Raises:
        ValueError: ``missing`` is another word.
        ImageReadError: Nothing there is a volume, or it is not clear which; the message says what, where and the cure.

    Example:
        >>> read_dicom_volume("no/such/folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.transforms.decode_rgb.ImageReadError: ...no/such/folder...
    """
    if missing not in ("refuse", "interpolate"):
        raise ValueError(f"missing: expected 'refuse' or 'interpolate', got {missing!r}")
    root = Path(path)
    try:
        import pydicom.pixels  # noqa: F401  new in pydicom 3
    except ImportError as error:
        cure = 'Install it: pip install "pydicom>=3.0.2"'
        raise ImageReadError(path, "DICOM is read by pydicom 3, which is not installed", cure) from error
    check_nibabel(path)
    if not root.exists():
        raise ImageReadError(path, "there is no such file or folder", "Check the path")
    found = find_series(root)
    chosen = choose_series(root, found, series)
    if len(found) > 1:
        taken = (root, chosen.uid, chosen.modality, chosen.images, len(found))
        logger.info("%s: series %s taken (%s, %d images), of %d series.", *taken)
    grid = plan_grid(root, list_slices(root, chosen.files), missing)
    if np.prod(grid.shape, dtype=np.int64) > MAX_VOXELS:
        found_shape = f"it makes a volume of {grid.shape} voxels, expected at most {MAX_VOXELS}"
        raise ImageReadError(root, found_shape, "Leave slices out, or resample it to larger voxels")
    for change in grid.changes:
        logger.info("%s: %s.", root, change)
    values = fill_grid(grid, _reader(), AIR if chosen.modality == "CT" else 0.0)
    return to_ras(Volume(values, grid.affine, grid.changes))


def _reader() -> Callable[[Slice], np.ndarray]:
    """Returns what reads slices, and keeps the latest file open for its other frames."""
    import pydicom

    held: dict[Path, Dataset] = {}

    def read(one: Slice) -> np.ndarray:
        try:
            if one.file not in held:
                held.clear()
                held[one.file] = pydicom.dcmread(one.file)
            values = _values(one, held[one.file])
        except ImageReadError:
            raise
        except Exception as error:  # pydicom raises a different class for each kind of damage
            found = f"it is damaged, or a kind of DICOM that is not read ({in_one_line(error)})"
            raise ImageReadError(one.file, found, "Copy it again, or leave the series out") from error
        check_values(one.file, values)
        return values

    return read


def _values(one: Slice, dataset: Dataset) -> np.ndarray:
    if "PixelData" not in dataset:
        raise ImageReadError(one.file, "it is a DICOM file without a picture", "Leave it out, or export it again")
    colours = dataset.PhotometricInterpretation
    if colours not in ("MONOCHROME1", "MONOCHROME2"):
        cure = "Read its pictures one by one, or convert the series to grey"
        raise ImageReadError(one.file, f"its colours are {colours}, expected grey slices", cure)
    lift_functional_groups(dataset, one.frame)
    modality = dataset.get("Modality")
    if modality == "CT" and not ("RescaleSlope" in dataset or "ModalityLUTSequence" in dataset):
        found = "it is a CT without the rescale that makes Hounsfield units of its values"
        raise ImageReadError(one.file, found, "Export the series again")
    stored = stored_values(one.file, dataset, one.frame)
    if colours == "MONOCHROME1" and modality not in MEASURED:
        stored = stored_range(dataset).sum() - stored
    with np.errstate(all="ignore"):  # a senseless rescale gives values that are refused
        return modality_values(dataset, stored)
