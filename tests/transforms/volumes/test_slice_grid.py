from pathlib import Path

import numpy as np
import pytest

from monai_medmamba.transforms import ImageReadError
from monai_medmamba.transforms.volumes.dicom_slices import Slice
from monai_medmamba.transforms.volumes.slice_grid import plan_grid
from testing.dicom_series import directions

HERE = Path("series")


def stack(heights, tilt=0.0, thickness=None):
    """Return slices at heights of the table, in no order."""
    axes = directions(tilt)
    move = np.array([0.0, 0, 1]) if tilt else axes[2]
    each = thickness or [None] * len(heights)
    slices = [
        Slice(Path(f"{i}.dcm"), 0, (8, 6), tuple(h * move), tuple(axes[:2].ravel()), (1.0, 2.0), each[i])
        for i, h in enumerate(heights)
    ]
    return slices[::2] + slices[1::2]


def test_order_and_affine():
    grid = plan_grid(HERE, stack([0, 3, 6, 9, 12]))
    assert [one.file.stem for one in grid.order] == list("01234")
    assert grid.shape == (8, 6, 5)
    assert grid.affine.tolist() == np.diag([-1.0, -2, 3, 1]).tolist()
    assert (grid.changes, grid.shifts.any()) == ((), np.False_)


def test_a_little_off_is_even():
    assert plan_grid(HERE, stack([0, 3.01, 6, 8.99, 12])).changes == ()


def test_a_tilt_makes_the_plane_larger():
    grid = plan_grid(HERE, stack([0, 10, 20], tilt=30))
    assert np.diff(grid.heights) == pytest.approx(10 * np.cos(np.pi / 6))
    assert np.abs(np.diff(grid.shifts[:, 1])) == pytest.approx(10 * np.sin(np.pi / 6) / 2)  # 2 mm between rows
    assert grid.shape == (8, 6 + 5, 3)
    assert grid.shifts.min() >= 0


@pytest.mark.parametrize(
    ("heights", "thickness", "step"),
    [
        ([0, 2, 4, 6, 11, 16, 21], [2, 2, 2, 2, 5, 5, 5], 21 / 10),  # thin slices, then thick ones
        ([0, 2, 4, 4.5, 9.5, 14.5], [2, 2, 2, 5, 5, 5], 14.5 / 7),  # which overlap
        ([0, 2, 4.5, 6.5, 9], None, 9 / 4),
    ],
)
def test_uneven_steps(heights, thickness, step):
    grid = plan_grid(HERE, stack(heights, thickness=thickness))
    assert grid.step == pytest.approx(step)
    assert grid.shape[2] == round(heights[-1] / step) + 1
    assert "interpolated" in grid.changes[0]


@pytest.mark.parametrize(
    ("heights", "thickness", "named"),
    [
        ([0, 3, 6, 12, 15], None, "2.dcm and 3.dcm"),
        ([0, 5, 10, 20, 30, 40, 60], [5, 5, 5, 10, 10, 10, 10], "5.dcm and 6.dcm"),
        ([0, 5, 15, 20, 30, 40, 50, 60], [5, 5, 5, 5, 10, 10, 10, 10], "1.dcm and 2.dcm"),
    ],
)
def test_missing_slices_are_named(heights, thickness, named):
    with pytest.raises(ImageReadError, match=rf"slices are missing: .* mm between {named}, from"):
        plan_grid(HERE, stack(heights, thickness=thickness))
    assert plan_grid(HERE, stack(heights, thickness=thickness), "interpolate").changes


@pytest.mark.parametrize("heights", [[0, 6, 12, 18], [0, 40]])
def test_wide_steps_that_are_even_are_not_missing(heights):
    assert plan_grid(HERE, stack(heights, thickness=[2] * len(heights))).changes == ()


@pytest.mark.parametrize(
    ("heights", "message"), [([0], "one slice"), ([0, 3, 3.001], "at one place"), ([0, 1, 2, 40], "of one stack")]
)
def test_refuses(heights, message):
    with pytest.raises(ImageReadError, match=message):
        plan_grid(HERE, stack(heights), "interpolate")
