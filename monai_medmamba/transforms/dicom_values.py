"""From a DICOM file's bytes to numbers: stored values of one frame, and what rescale or modality table make of them."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_library import decoded_pixels, has_decoder

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID


def frame_count(dataset: Dataset) -> int:
    """Returns how many frames a file holds; one without the tag holds 1."""
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def lift_functional_groups(dataset: Dataset, frame: int | None = None) -> None:
    """Puts rescale and window of an enhanced file's frame where a classic file has them.

    Args:
        dataset: The file; it is changed.
        frame: Whose values to take, from 0; None where there is one frame alone.
    """
    of_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    chosen = of_frame if frame is None else of_frame[frame : frame + 1]
    for groups in (*(dataset.get("SharedFunctionalGroupsSequence") or []), *chosen):
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for values in groups.get(name) or []:
                dataset.update(values)


def stored_values(path: str | os.PathLike[str], dataset: Dataset, frame: int | None = None) -> np.ndarray:
    """Decodes one frame.

    Args:
        path: The file, for messages.
        dataset: What ``pydicom.dcmread`` gave for it.
        frame: Which, from 0; None where there is one frame alone.

    Returns:
        Array (H, W) or (H, W, 3) of integers, YBR as RGB.

    Raises:
        ImageReadError: It is compressed, and no installed decoder reads it.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        return decoded_pixels(dataset, None if frame_count(dataset) == 1 else frame)
    except Exception as error:
        if not syntax.is_encapsulated:
            raise
        module, cure = _decoder_for(syntax)
        if not has_decoder(syntax):
            found = f"it is compressed as {syntax.name}, which no installed decoder reads"
            raise ImageReadError(path, found, cure) from error
        found = f"it is compressed as {syntax.name}, and did not decode ({in_one_line(error)})"
        if find_spec(module):
            cure = "Copy it again, or save it uncompressed"
        raise ImageReadError(path, found, cure) from error


def _decoder_for(syntax: UID) -> tuple[str, str]:
    """Returns the module that reads a compression, and how to get it."""
    from pydicom.uid import JPEGExtended12Bit

    if syntax == JPEGExtended12Bit:  # pydicom 3 lets gdcm read 8 bits of it only
        package = "pylibjpeg-libjpeg, which reads its 12 bits: pip install pylibjpeg pylibjpeg-libjpeg"
        return "libjpeg", f"Install {package}; or save it uncompressed"
    return "gdcm", "Install python-gdcm, which reads nearly all: pip install python-gdcm; or save it uncompressed"


def stored_range(dataset: Dataset) -> np.ndarray:
    """Returns the lowest and the highest value that the file's bits can hold."""
    bits = int(dataset.BitsStored)
    lowest = -(2 ** (bits - 1)) if dataset.PixelRepresentation else 0
    return np.array([lowest, lowest + 2**bits - 1])


def modality_values(dataset: Dataset, stored: np.ndarray) -> np.ndarray:
    """Takes stored values to those with a meaning (Hounsfield units for a CT; PS3.3, C.11.1).

    Args:
        dataset: The file, with rescale or modality table where a classic file has them.
        stored: Grey values of any shape.

    Returns:
        Values of the same shape, float64; as they are where the file has neither.
    """
    if dataset.get("ModalityLUTSequence"):
        return look_up(dataset, dataset.ModalityLUTSequence[0], stored)
    slope, intercept = (dataset.get(name) for name in ("RescaleSlope", "RescaleIntercept"))
    return stored * float(1 if slope is None else slope) + float(intercept or 0)


def look_up(dataset: Dataset, table: Dataset, values: np.ndarray) -> np.ndarray:
    """Maps values by a table of modality or VOI (PS3.3, C.11.1.1); those outside take its first or last entry.

    pydicom 3.0.2 has functions for both, whose index overflows where the table's type is smaller than the values'.
    """
    count, first, _bits = table.LUTDescriptor
    entries = table.LUTData
    if isinstance(entries, bytes):
        order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
        entries = np.frombuffer(entries, dtype="u1" if len(entries) == count else f"{order}u2")
    index = (values - float(first)).clip(0, (count or 2**16) - 1).astype(np.int64)
    return np.asarray(entries, dtype=np.float64)[index]


def in_one_line(error: Exception) -> str:
    """Returns class and text of an error, cut to what a message can hold, without what a file said.

    pydicom quotes the value that it could not use, which may be a patient's; a name of DICOM's own in quotes stays.
    """
    text = re.sub(r"(['\"])(.*?)\1", _without_value, " ".join(str(error).split()))
    return f"{type(error).__name__}: {text[:300]}"


def _without_value(quoted: re.Match[str]) -> str:
    try:
        from pydicom.datadict import tag_for_keyword
    except ImportError:
        return quoted[0]  # nothing read a DICOM file
    mark, text = quoted[1], quoted[2]
    return quoted[0] if text.endswith("Dataset") or tag_for_keyword(text) else f"{mark}...{mark}"
