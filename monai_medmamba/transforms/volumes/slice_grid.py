"""From slices anywhere to a grid: their order, their gaps, and how far each must move."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.volumes.dicom_slices import Slice

SAME_PLACE = 0.01  # mm
EVEN = 0.02  # of a step: how far a slice may lie off an even grid
STRAIGHT = 0.1  # pixels: how far a slice may lie beside the others
GAP = 1.5  # of the usual step: more is a missing slice
RANGE = 10  # usual steps: a gap of more is no gap within one stack
LPS_TO_RAS = np.diag([-1.0, -1, 1, 1])


@dataclass(frozen=True)
class SliceGrid:
    """A grid in space that a stack of slices goes onto.

    Args:
        order: The slices along the normal.
        heights: (n,), mm of each slice along the normal from the first.
        shifts: (n, 2), pixels by which each slice lies beside the grid's first column and row, 0 or more.
        shape: Columns, rows and slices of the grid.
        step: Millimetres between its slices.
        affine: (4, 4), from indices to millimetres, right, front and head.
        changes: What is done to the slices, a phrase each; empty where they lie on the grid already.
    """

    order: list[Slice]
    heights: np.ndarray
    shifts: np.ndarray
    shape: tuple[int, int, int]
    step: float
    affine: np.ndarray
    changes: tuple[str, ...]


def plan_grid(path: Path, slices: Sequence[Slice], missing: str = "refuse") -> SliceGrid:
    """Sorts slices by their place along the normal and finds the grid for them.

    Slices that lie evenly are left as they are. Where a gantry was tilted each slice lies beside the one before: they
    are moved within their plane onto a grid that holds them all. Where steps differ, the grid goes from the first slice
    to the last in even steps of about the smallest usual one. A gap of more than 1.5 usual steps is a missing slice;
    what is usual is the median among slices of the same thickness, or their thickness, whichever is more.

    Args:
        path: The folder or file, for messages.
        slices: Of one direction and size.
        missing: ``"refuse"``, or ``"interpolate"`` to fill gaps from the slices around them.

    Returns:
        The grid.

    Raises:
        ImageReadError: There are fewer than two slices, two at one place, missing ones, or steps that differ so much
            that the slices are no stack.
    """
    normal = slices[0].normal
    order = sorted(slices, key=lambda one: float(normal @ one.position))
    if len(order) < 2:
        raise ImageReadError(path, "it holds one slice, expected two or more", "Read it as a picture")
    first = order[0]
    offsets = np.array([one.position for one in order]) - first.position
    heights = offsets @ normal
    gaps = np.diff(heights)
    usual = _usual_steps(order, gaps)
    _check_gaps(path, order, gaps, usual, missing)

    changes = []
    axes = np.array([first.orientation[:3], first.orientation[3:]])
    shifts = offsets @ axes.T / np.array(first.spacing)
    if np.abs(shifts).max() <= STRAIGHT:
        shifts = np.zeros_like(shifts)
    else:
        aside = float(np.linalg.norm(shifts[-1] * first.spacing))
        angle = math.degrees(math.atan2(aside, heights[-1]))
        changes.append(f"slices moved within their plane, for a gantry tilt of {angle:.1f} degrees")
    corner = np.floor(shifts.min(0))
    shifts = shifts - corner
    width, height = np.array(first.size) + np.ceil(shifts.max(0)).astype(int)

    step = float(heights[-1] / (len(order) - 1))
    if np.abs(heights - step * np.arange(len(order))).max() <= EVEN * step:
        heights = step * np.arange(len(order))
    else:
        step = float(heights[-1] / max(1, round(heights[-1] / min(usual))))
        changes.append(f"steps of {gaps.min():.2f} to {gaps.max():.2f} mm interpolated to {step:.2f} mm")
    count = round(heights[-1] / step) + 1

    affine = np.eye(4)
    affine[:3, :2], affine[:3, 2] = axes.T * np.array(first.spacing), normal * step
    affine[:3, 3] = first.position + affine[:3, :2] @ corner
    shape = (int(width), int(height), count)
    return SliceGrid(order, heights, shifts, shape, step, LPS_TO_RAS @ affine, tuple(changes))


def _check_gaps(path: Path, order: Sequence[Slice], gaps: np.ndarray, usual: Sequence[float], missing: str) -> None:
    """Refuses slices at one place, missing ones, and steps that no stack has."""
    same = [f"{a.name} = {b.name}" for a, b, gap in zip(order, order[1:], gaps, strict=False) if gap < SAME_PLACE]
    if same:
        found = f"slices lie at one place, {len(same)} times, {same[0]} for one"
        cure = "Keep one volume of the series (one time, echo or phase), and move the others elsewhere"
        raise ImageReadError(path, found, cure)
    if missing == "refuse":
        faults = [
            f"{gap:.2f} mm between {a.name} and {b.name}, from {_at(a)} to {_at(b)} mm, expected about {step:.2f}"
            for a, b, gap, step in zip(order, order[1:], gaps, usual, strict=False)
            if gap > GAP * step
        ]
        if faults:
            more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
            cure = 'Fetch the missing slices, or fill the gap from its neighbours, missing="interpolate"'
            raise ImageReadError(path, f"slices are missing: {'; '.join(faults[:3])}{more}", cure)
    if gaps.max() > RANGE * min(usual):
        found = f"its slices are {gaps.min():.2f} to {gaps.max():.2f} mm apart, which those of one stack are not"
        raise ImageReadError(path, found, "Keep the slices of one stack, and move the others elsewhere")


def _usual_steps(order: Sequence[Slice], gaps: np.ndarray) -> list[float]:
    """Returns the step to expect in each gap."""
    pairs = [(a.thickness, b.thickness) for a, b in itertools.pairwise(order)]
    within = defaultdict(list)
    for (before, after), gap in zip(pairs, gaps, strict=True):
        if before == after:
            within[before].append(float(gap))
    usual = {thickness: float(np.median(steps)) for thickness, steps in within.items()}
    return [max(max(usual.get(t, 0.0), t or 0.0) for t in pair) or float(np.median(gaps)) for pair in pairs]


def _at(one: Slice) -> str:
    return f"{float(one.normal @ one.position):.2f}"
