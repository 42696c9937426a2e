"""Where each slice of a DICOM series lies in space, read from headers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_values import frame_count

if TYPE_CHECKING:
    from pydicom import Dataset

PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
MAX_SLICES = 2**14
"""More are no stack of a patient; a header may claim any number of frames."""
GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
}


@dataclass(frozen=True)
class Slice:
    """One slice: which frame of which file, and where it lies (PS3.3, C.7.6.2).

    Args:
        file: The file.
        frame: The frame in it, from 0.
        size: Columns and rows.
        position: Centre of its first pixel in mm, towards the patient's left, back and head.
        orientation: Direction of growing columns, then of growing rows.
        spacing: Millimetres between columns, and between rows.
        thickness: In mm; None where the file does not say.
    """

    file: Path
    frame: int
    size: tuple[int, int]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    thickness: float | None

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return f"{self.file.name} frame {self.frame}" if self.frame else self.file.name

    @property
    def normal(self) -> np.ndarray:
        """The direction across the slice, (3,)."""
        return np.cross(self.orientation[:3], self.orientation[3:])


def list_slices(path: Path, files: Sequence[tuple[Path, Dataset]]) -> list[Slice]:
    """Returns the slices of a series, classic files and multi-frame ones alike, in the order of the files.

    Args:
        path: The folder or file that was asked for, for messages.
        files: Each file with its header.

    Raises:
        ImageReadError: There are more than 16384; a slice does not say where it lies, or not with sensible numbers;
            slices differ in size, pixel spacing or direction.
    """
    frames = sum(frame_count(header) for _, header in files)
    if frames > MAX_SLICES:
        cure = "Keep the slices of one stack, and move the others elsewhere"
        raise ImageReadError(path, f"it holds {frames} slices, expected at most {MAX_SLICES}", cure)
    slices = [_slice(file, header, frame) for file, header in files for frame in range(frame_count(header))]
    first = slices[0]
    for what, of in (("size", _size), ("pixel spacing", _spacing), ("direction", _direction)):
        other = next((s for s in slices if not np.allclose(of(s), of(first), rtol=0, atol=1e-3)), None)
        if other is not None:
            found = f"its slices differ in {what}: {of(first)} in {first.name}, {of(other)} in {other.name}"
            raise ImageReadError(path, found, "Keep the slices of one stack, and move the others elsewhere")
    return slices


def _size(one: Slice) -> tuple[float, ...]:
    return one.size


def _spacing(one: Slice) -> tuple[float, ...]:
    return one.spacing


def _direction(one: Slice) -> tuple[float, ...]:
    return one.orientation


def _slice(file: Path, header: Dataset, frame: int) -> Slice:
    found = {name: _find(header, frame, name) for name in GROUPS}
    missing = [name for name in PLACE if not found[name]]
    if missing:
        frames = frame_count(header)
        kind = f"its {frames} frames are a film or" if frames > 1 else "it is"
        raise ImageReadError(
            file,
            f"{kind} no part of a volume, as far as it says: it lacks {', '.join(missing)}",
            "Read its pictures one by one, or export the series again with its geometry",
        )
    position, orientation, spacing = (tuple(float(x) for x in found[name]) for name in PLACE)
    rows, columns = np.array(orientation[:3]), np.array(orientation[3:])
    sound = len(position) == 3 and len(orientation) == 6 and len(spacing) == 2
    sound = sound and all(math.isfinite(x) for x in (*position, *orientation, *spacing)) and min(spacing) > 0
    square = sound and np.allclose([rows @ rows, columns @ columns, rows @ columns], [1, 1, 0], atol=1e-3)
    if not square:
        values = f"position {position}, directions {orientation}, pixel spacing {spacing}"
        raise ImageReadError(file, f"it gives a senseless place in space: {values}", "Export the series again")
    thickness = float(found["SliceThickness"] or 0)
    return Slice(
        file,
        frame,
        (int(header.Columns), int(header.Rows)),
        position,
        orientation,
        (spacing[1], spacing[0]),  # the standard gives that between rows first
        thickness if 0 < thickness < math.inf else None,
    )


def _find(header: Dataset, frame: int, name: str) -> Any:
    """Looks a value up where a classic file has it, then where an enhanced one has it (PS3.3, C.7.6.16)."""
    if name in header:
        return header[name].value
    frames = header.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*frames[frame : frame + 1], *(header.get("SharedFunctionalGroupsSequence") or [])):
        for item in groups.get(GROUPS[name]) or []:
            if name in item:
                return item[name].value
    return None
