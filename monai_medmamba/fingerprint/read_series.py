"""Reads DICOM series and DICOM files of several frames as volumes: values in their unit, spacing, no patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..data.volume_content import dicom_files
from ..transforms.decode_rgb import ImageReadError
from ..transforms.volumes import read_dicom_volume
from .decoded import Decoded, UnreadableError

FORMAT = "DICOM series"


def read_series(path: Path) -> Decoded:
    """Reads a folder with a DICOM series, or a DICOM file of several frames. Needs pydicom 3 and nibabel.

    Args:
        path: The folder, searched at any depth, or the file.

    Returns:
        The volume, head first in the order (D, H, W), each axis growing towards head, front and right.

    Raises:
        UnreadableError: It is no volume; the message says what is wrong, as ``LoadVolume`` does.
    """
    try:
        volume = read_dicom_volume(path)
    except ImageReadError as error:
        raise UnreadableError(*_parts(str(error), path)) from error
    import pydicom

    first = dicom_files(path)[0] if path.is_dir() else path
    header = pydicom.dcmread(first, stop_before_pixels=True)
    tags: dict[str, Any] = {
        "modality": _text(header, "Modality"),
        "transfer_syntax": getattr(header.file_meta.get("TransferSyntaxUID"), "name", "unknown"),
        "spacing": [round(length, 6) for length in volume.spacing],
        "orientation": "RAS",
        "patient": _text(header, "PatientID"),
        "study": _text(header, "StudyInstanceUID"),
        "series": _text(header, "SeriesInstanceUID"),
    }
    flags = tuple(f"moved_slices: {change}" for change in volume.changes)
    bits, mode = int(header.get("BitsStored") or 16), str(header.get("PhotometricInterpretation") or "unknown")
    return Decoded(volume.values.transpose(2, 1, 0), True, FORMAT, mode, bits, None, 1, flags, tags)


def _parts(message: str, path: Path) -> tuple[str, str]:
    """Returns what was found and the cure, without the path that the message begins with."""
    found, _, cure = message.removeprefix(f"Cannot read the image {path}: ").rstrip(".").rpartition(". ")
    return found or "it is no volume", cure


def _text(header: Any, name: str) -> str | None:
    return str(header.get(name) or "").strip() or None
