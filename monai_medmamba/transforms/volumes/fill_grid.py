"""Puts slices onto a grid: as they are where they lie on it, else by linear interpolation in space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monai_medmamba.transforms.volumes.dicom_slices import Slice
from monai_medmamba.transforms.volumes.slice_grid import EVEN, SliceGrid


def fill_grid(grid: SliceGrid, read: Callable[[Slice], np.ndarray], outside: float) -> np.ndarray:
    """Reads the slices and gives the volume.

    Each voxel is interpolated between the two slices around it and, where slices were moved, between pixels of each.
    A voxel that not all of them cover is outside. No slice is held longer than needed.

    Args:
        grid: What ``plan_grid`` found.
        read: Gives the values of a slice, (rows, columns).
        outside: The value of voxels that no slice covers.

    Returns:
        Array (columns, rows, slices) of the grid's shape, float32.
    """
    volume = np.empty(grid.shape, dtype=np.float32)
    at, held = -1, [np.empty(0)] * 2  # the last slice read, and the two latest slices on the grid
    for k in range(grid.shape[2]):
        height = k * grid.step
        upper = int(np.searchsorted(grid.heights, height - EVEN * grid.step))
        upper = min(upper, len(grid.order) - 1)
        while at < upper:
            at += 1
            held = [held[1], _move(read(grid.order[at]).T, grid.shifts[at], grid.shape[:2])]
        share = 0.0
        if upper and grid.heights[upper] - height > EVEN * grid.step:
            share = float((grid.heights[upper] - height) / (grid.heights[upper] - grid.heights[upper - 1]))
        mixed = held[1] if share == 0 else share * held[0] + (1 - share) * held[1]
        volume[..., k] = np.where(np.isnan(mixed), outside, mixed)
    return volume


def _move(values: np.ndarray, shift: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the slice (columns, rows) on a plane, moved by ``shift`` pixels, 0 or more; NaN beside it."""
    if values.shape == shape and not shift.any():
        return values
    moved = np.pad(values, [(0, size - own) for size, own in zip(shape, values.shape, strict=True)], "edge")
    covered = []
    for axis in (0, 1):
        whole, part = int(shift[axis]), shift[axis] % 1
        if part:
            moved = (1 - part) * moved + part * _later(moved, axis, 1)
        moved = _later(moved, axis, whole)
        index = np.arange(shape[axis])
        last = shift[axis] + values.shape[axis] - 1
        covered.append((index >= shift[axis] - 1e-9) & (index <= last + 1e-9))
    return np.where(covered[0][:, None] & covered[1][None], moved, np.nan)


def _later(values: np.ndarray, axis: int, places: int) -> np.ndarray:
    """Moves values along an axis, repeating the first."""
    index = (np.arange(values.shape[axis]) - places).clip(0)
    return np.take(values, index, axis)
