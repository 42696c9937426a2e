"""Reads DICOM files: values after rescale, without window, and the tags that describe a data set but no patient."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..picture_formats import MAX_PIXELS
from ..transforms.dicom_values import lift_functional_groups
from .decoded import Decoded, UnreadableError

if TYPE_CHECKING:
    from pydicom import Dataset

SECRET = ("patient", "study", "series")
"""Tags that ``measure`` replaces by keyed digests before anything is kept."""


def read_dicom(path: Path) -> Decoded:
    """Reads a DICOM file; of several frames the middle one. Needs pydicom 3.

    Grey values go through rescale slope and intercept, or the modality table, and ``MONOCHROME1`` is inverted after
    it, so that high is white. Palettes are looked up, YBR becomes RGB.

    Args:
        path: The file.

    Returns:
        The image. ``full_scale`` is None for grey of more than 8 bits, whose values keep their unit.

    Raises:
        UnreadableError: The file is damaged, no picture, too large, needs a decoder that is not installed, or holds
            values that are not finite; or pydicom is not installed.
    """
    try:
        import pydicom.pixels
    except ImportError as error:
        raise UnreadableError("pydicom 3 is not installed", 'Install it: pip install "pydicom>=3.0.2"') from error
    try:
        dataset = pydicom.dcmread(path)
        _check(dataset)
        lift_functional_groups(dataset)
        with np.errstate(all="ignore"):
            values = _values(dataset)
        if not np.isfinite(values).all():
            raise UnreadableError("its rescale gives values that are no finite numbers", "Export it again")
        return _describe(path, dataset, values)
    except UnreadableError:
        raise
    except Exception as error:  # pydicom raises a different class for each kind of damage
        if isinstance(error, OSError) and error.strerror:
            raise UnreadableError(error.strerror, "Check the path and its permissions") from error
        found = f"it is damaged, or a kind of DICOM that is not read ({_in_one_line(error)})"
        raise UnreadableError(found, "Copy it again, or convert it to PNG") from error


def _check(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        kind = getattr(dataset.get("SOPClassUID"), "name", None) or "a file of another kind"
        raise UnreadableError(f"it is a DICOM file without a picture ({kind})", "Leave it out")
    if not 0 < dataset.Rows * dataset.Columns <= MAX_PIXELS:
        found = f"it has {dataset.Columns} x {dataset.Rows} pixels, expected 1 to {MAX_PIXELS}"
        raise UnreadableError(found, "Make a smaller copy, or cut it into tiles")


def _check_decoder(dataset: Dataset) -> None:
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated and not get_decoder(syntax).is_available:
        cure = "Install python-gdcm, which reads nearly all: pip install python-gdcm; or save it uncompressed"
        raise UnreadableError(f"it is compressed as {syntax.name}, which no installed decoder reads", cure)


def _values(dataset: Dataset) -> np.ndarray:
    """Returns (H, W) or (H, W, 3) of the middle frame."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array

    _check_decoder(dataset)
    pixels = pixel_array(dataset, index=_frames(dataset) // 2)
    colours = dataset.PhotometricInterpretation
    if colours == "PALETTE COLOR":
        table = apply_color_lut(pixels, dataset)[..., :3]
        bits = dataset.RedPaletteColorLookupTableDescriptor[2]
        return table if bits <= 8 else (table / (2.0**bits - 1) * 255).astype(np.uint8)
    if dataset.SamplesPerPixel > 1:
        return pixels[..., :3]
    rescaled = "ModalityLUTSequence" in dataset or "RescaleSlope" in dataset
    values = apply_modality_lut(pixels, dataset) if rescaled else pixels
    if colours == "MONOCHROME1":
        values = values.max() + values.min() - values
    if _unit_bits(dataset) is not None and values.dtype != np.uint8 and dataset.BitsStored == 8:
        values = values.clip(0, 255).astype(np.uint8)
    return values


def _unit_bits(dataset: Dataset) -> int | None:
    """Returns the bits that stand for [0, 1]; None for grey with a unit of its own."""
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return 8
    grey = dataset.SamplesPerPixel == 1
    plain = (dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)) == (1, 0)
    if grey and (
        dataset.BitsStored > 8 or dataset.PixelRepresentation or not plain or "ModalityLUTSequence" in dataset
    ):
        return None
    return int(dataset.BitsStored)


def _describe(path: Path, dataset: Dataset, values: np.ndarray) -> Decoded:
    flags = []
    bits = _unit_bits(dataset)
    windowed = "WindowCenter" in dataset or "VOILUTSequence" in dataset
    if bits is None and not windowed:
        flags.append("no_window")
    if str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        flags.append("burned_in")
    if _frames(dataset) > 1:
        flags.append(f"frames: {_frames(dataset)} frames")
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"):
        flags.append("wrong_suffix: its content is DICOM")
    spacing = _spacing(dataset)
    if spacing and not all(0 < length < math.inf for length in spacing):
        flags.append(f"odd_spacing: {spacing}")
        spacing = None
    tags: dict[str, Any] = {
        "modality": _text(dataset, "Modality"),
        "transfer_syntax": getattr(getattr(dataset.file_meta, "TransferSyntaxUID", None), "name", "unknown"),
        "windowed": windowed,
        "spacing": spacing,
        "patient": _text(dataset, "PatientID"),
        "study": _text(dataset, "StudyInstanceUID"),
        "series": _text(dataset, "SeriesInstanceUID"),
    }
    mode, scale = str(dataset.PhotometricInterpretation), None if bits is None else 2.0**bits - 1
    return Decoded(values, False, "DICOM", mode, int(dataset.BitsStored), scale, _frames(dataset), tuple(flags), tags)


def _frames(dataset: Dataset) -> int:
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def _spacing(dataset: Dataset) -> list[float] | None:
    """Returns millimetres between rows and between columns, and the slice's thickness where it is given."""
    pixel = dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing")
    if not pixel:
        return None
    thickness = dataset.get("SliceThickness")
    return [float(x) for x in (*pixel, *([thickness] if thickness else []))]


def _text(dataset: Dataset, name: str) -> str | None:
    value = str(dataset.get(name) or "").strip()
    return value or None


def _in_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
