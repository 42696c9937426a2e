"""DICOM series and NIfTI files for tests, sampled from a function of space, so that every voxel's value is known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from testing.dicom_files import write_dicom

SLOPE, INTERCEPT = 0.25, -1024.0
SIZE, SPACING = (12, 10), (1.5, 2.0)  # columns and rows; mm between columns, between rows
LEFT_BACK_HEAD = np.array([-1.0, -1.0, 1.0])  # times right, front, head


def slope_of_space(points: np.ndarray) -> np.ndarray:
    """Return 2 x - 3 y + 5 z at points (..., 3), right, front and head in mm: linear interpolation keeps it."""
    return points @ np.array([2.0, -3.0, 5.0])


def directions(tilt: float = 0.0) -> np.ndarray:
    """Return the directions of columns, rows and normal, (3, 3), left, back, head, for a tilt about the x axis."""
    turn = np.deg2rad(tilt)
    rows = np.array([0.0, np.cos(turn), -np.sin(turn)])
    return np.array([[1.0, 0, 0], rows, np.cross([1.0, 0, 0], rows)])


def write_series(
    folder: Path,
    heights: Sequence[float],
    *,
    tilt: float = 0.0,
    axes: np.ndarray | None = None,
    uid: str = "1.2.3",
    value: Callable[[np.ndarray], np.ndarray] = slope_of_space,
    reverse: bool = False,
    thickness: Sequence[float] | None = None,
    **tags: Any,
) -> Path:
    """Write a slice at each height of the table in mm; names and numbers grow with it, or against it.

    The table moves along the patient; with a tilt, each slice therefore lies beside the one before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    axes = directions(tilt) if axes is None else axes
    move = np.array([0.0, 0, 1]) if tilt else axes[2]
    for number, height in enumerate(heights):
        position = np.array([-5.0, -7.0, 11.0]) + height * move
        content = value(plane_points(position, axes) * LEFT_BACK_HEAD)
        stored = np.rint((content - INTERCEPT) / SLOPE).astype(np.int16)
        instance = len(heights) - number if reverse else number + 1
        place = {
            "ImagePositionPatient": [f"{x:.6f}" for x in position],
            "ImageOrientationPatient": [f"{x:.8f}" for x in axes[:2].ravel()],
            "PixelSpacing": [SPACING[1], SPACING[0]],
            "SliceThickness": thickness[number] if thickness else None,
            "InstanceNumber": instance,
            "SeriesInstanceUID": uid,
            "Modality": "CT",
            "RescaleSlope": SLOPE,
            "RescaleIntercept": INTERCEPT,
        }
        write_dicom(folder / f"{uid}-{instance:03d}.dcm", stored, **{**place, **tags})
    return folder


def plane_points(position: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the centre of each pixel of a slice, (rows, columns, 3), left, back, head."""
    columns = np.arange(SIZE[0])[None, :, None] * SPACING[0] * axes[0]
    rows = np.arange(SIZE[1])[:, None, None] * SPACING[1] * axes[1]
    return position + columns + rows


def voxel_points(shape: Sequence[int], affine: np.ndarray) -> np.ndarray:
    """Return the centre of each voxel, (X, Y, Z, 3), in mm."""
    indices = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return indices @ affine[:3, :3].T + affine[:3, 3]
