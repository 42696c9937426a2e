"""Reads NIfTI files: scaled values, spacing and orientation; of a time series the middle volume."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from .decoded import Decoded, UnreadableError

MAX_VOXELS = 2**28
MOST_LABELS = 64
"""Whole numbers with fewer values than this look like a map of structures, not like an image."""


def read_nifti(path: Path) -> Decoded:
    """Reads a NIfTI file. Needs nibabel.

    Args:
        path: The file, ``.nii`` or ``.nii.gz``.

    Returns:
        The axes i, j, k of the file become (D, H, W) in the order k, j, i; a file of one slice is an image. Values
        keep their unit.

    Raises:
        UnreadableError: The file is damaged, of a form without an image, larger than 268 million voxels, or holds
            values that are not finite; or nibabel is not installed.
    """
    try:
        import nibabel
    except ImportError as error:
        raise UnreadableError("nibabel is not installed", 'Install it: pip install "nibabel>=5.3"') from error
    try:
        image: Any = nibabel.load(path)
        shape = tuple(image.shape)
        space, times = shape[:3], math.prod(shape[3:])
        if len(shape) < 2 or not 0 < math.prod(space) <= MAX_VOXELS or times < 1:
            raise UnreadableError(
                f"it has the shape {shape}, expected 2 or 3 axes, up to {MAX_VOXELS} voxels", "Crop it"
            )
        middle = np.unravel_index(times // 2, shape[3:]) if len(shape) > 3 else ()
        values = np.asanyarray(image.dataobj[(..., *(int(i) for i in middle))])
    except UnreadableError:
        raise
    except Exception as error:  # nibabel raises a different class for each kind of damage
        if isinstance(error, OSError) and error.strerror:
            raise UnreadableError(error.strerror, "Check the path and its permissions") from error
        found = f"it is damaged, or no NIfTI file ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        raise UnreadableError(found, "Copy it again") from error
    if values.dtype.names is not None or values.dtype.kind == "c":
        raise UnreadableError(f"it holds {values.dtype}, expected numbers", "Convert it to grey values")
    if not np.isfinite(values).all():
        bad = np.count_nonzero(~np.isfinite(values))
        raise UnreadableError(f"{bad} of {values.size} voxels are NaN or infinite", "Replace them, and save it again")
    values = np.ascontiguousarray(values.reshape(*space, *([1] * (3 - len(space)))).T)
    return _describe(image, values[0] if len(values) == 1 else values, times)


def _describe(image: Any, values: np.ndarray, times: int) -> Decoded:
    from nibabel.orientations import aff2axcodes

    header = image.header
    flags = []
    if not (int(header["sform_code"]) or int(header["qform_code"])):
        flags.append("no_orientation")
    spacing = [float(x) for x in header.get_zooms()[:3]]
    if not all(0 < x < math.inf for x in spacing):
        flags.append(f"odd_spacing: {spacing}")
        spacing = []
    if times > 1:
        flags.append(f"frames: {times} volumes")
    sample = values[:: max(1, len(values) // 32)]
    whole = np.array_equal(sample, np.rint(sample))
    if whole and 1 < len(np.unique(sample)) <= MOST_LABELS:
        flags.append(f"mask: {len(np.unique(sample))} values")
    tags = {"spacing": spacing or None, "orientation": "".join(code or "?" for code in aff2axcodes(image.affine))}
    dtype = header.get_data_dtype()
    bits = 8 * dtype.itemsize
    return Decoded(values, values.ndim == 3, "NIfTI", str(dtype), bits, None, times, tuple(flags), tags)
