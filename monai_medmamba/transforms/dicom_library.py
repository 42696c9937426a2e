"""What pydicom 3 and pydicom 2 do differently. MONAI Label 0.8.5 wants 2; everything else here wants 3."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID


def _is_new() -> bool:
    import pydicom

    return int(pydicom.__version__.split(".")[0]) >= 3


def decoded_pixels(dataset: Dataset, frame: int | None = None) -> np.ndarray:
    """Returns the pixels of one frame.

    Args:
        dataset: What ``pydicom.dcmread`` gave.
        frame: Which, from 0; None where there is one frame alone.

    Returns:
        Array (H, W) or (H, W, 3) of integers, YBR as RGB.
    """
    if not _is_new():
        from pydicom.pixel_data_handlers.util import convert_color_space

        pixels = dataset.pixel_array if frame is None else dataset.pixel_array[frame]
        colours = dataset.PhotometricInterpretation  # a decoder that gives RGB has written so here
        return convert_color_space(pixels, colours, "RGB") if colours in ("YBR_FULL", "YBR_FULL_422") else pixels
    if frame is None:
        return dataset.pixel_array
    from pydicom.pixels import pixel_array

    return pixel_array(dataset, index=frame)


def palette_colours(pixels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Returns the colours of a file's palette for its pixels, (H, W, 3 or 4)."""
    module = "pydicom.pixels" if _is_new() else "pydicom.pixel_data_handlers.util"
    return importlib.import_module(module).apply_color_lut(pixels, dataset)


def has_decoder(syntax: UID) -> bool:
    """Returns whether an installed decoder reads a compression."""
    if _is_new():
        from pydicom.pixels import get_decoder

        try:
            return get_decoder(syntax).is_available
        except NotImplementedError:  # pydicom knows the compression by name alone
            return False
    from pydicom import config

    return any(one.is_available() and one.supports_transfer_syntax(syntax) for one in config.pixel_data_handlers)


def write_file(path: str | os.PathLike[str], dataset: Dataset) -> None:
    """Writes a DICOM file with preamble and file meta information (PS3.10, chapter 7).

    Args:
        path: Where to.
        dataset: With ``file_meta``.
    """
    if _is_new():
        dataset.save_as(path, enforce_file_format=True)
        return
    syntax = dataset.file_meta.TransferSyntaxUID
    dataset.is_little_endian, dataset.is_implicit_VR = syntax.is_little_endian, syntax.is_implicit_VR
    dataset.save_as(path, write_like_original=False)
