"""From any picture file to a float32 RGB array, whether it is DICOM or not."""

from __future__ import annotations

import os

import numpy as np

from monai_medmamba.transforms.decode_rgb import decode_rgb
from monai_medmamba.transforms.dicom_pixels import decode_dicom, is_dicom


def decode_picture(path: str | os.PathLike[str], window: tuple[float, float] | None = None) -> np.ndarray:
    """Reads a png, jpg, bmp, tif or DICOM file as RGB; its content decides which it is.

    Args:
        path: The file.
        window: Centre and width for grey DICOM files, in place of what they carry; see ``decode_dicom``.

    Returns:
        Array (3, H, W), float32, in [0, 1]; rows before columns.

    Raises:
        ValueError: The window's width is less than 1.
        ImageReadError: The file cannot be used; see ``decode_rgb`` and ``decode_dicom``.

    Example:
        >>> from pydicom.data import get_testdata_file
        >>> decode_picture(get_testdata_file("MR_small.dcm", download=False)).shape
        (3, 64, 64)
    """
    return decode_dicom(path, window) if _is_dicom(path) else decode_rgb(path)


def _is_dicom(path: str | os.PathLike[str]) -> bool:
    try:
        return is_dicom(path)
    except OSError:
        return False  # decode_rgb says what is wrong with it
