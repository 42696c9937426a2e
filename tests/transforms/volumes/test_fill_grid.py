import numpy as np
import pytest

from monai_medmamba.transforms.volumes.fill_grid import fill_grid
from monai_medmamba.transforms.volumes.slice_grid import SliceGrid


def grid(heights, shifts, shape, step):
    order = list(range(len(heights)))
    return SliceGrid(order, np.array(heights, float), np.array(shifts, float), shape, step, np.eye(4), ())


def rows(index):
    """A slice of 2 rows and 3 columns."""
    return np.array([[0.0, 1, 2], [10, 11, 12]]) + 100 * index


def test_slices_on_the_grid_stay_as_they_are():
    volume = fill_grid(grid([0, 2, 4], np.zeros((3, 2)), (3, 2, 3), 2.0), rows, -1)
    assert volume.dtype == np.float32
    assert np.array_equal(volume, np.stack([rows(k).T for k in range(3)], -1))


def test_each_slice_is_read_once():
    read = []
    fill_grid(grid([0, 2, 4], np.zeros((3, 2)), (3, 2, 9), 0.5), lambda k: read.append(k) or rows(k), -1)
    assert read == [0, 1, 2]


def test_between_slices():
    volume = fill_grid(grid([0, 1, 4], np.zeros((3, 2)), (3, 2, 5), 1.0), rows, -1)
    assert volume[0, 0] == pytest.approx([0, 100, 100 + 100 / 3, 100 + 200 / 3, 200])


def test_moved_slices():
    volume = fill_grid(grid([0, 1, 2], [[0, 0], [1, 0], [0.5, 0]], (4, 2, 3), 1.0), rows, -1)
    assert volume[:, 0, 0].tolist() == [0, 1, 2, -1]
    assert volume[:, 0, 1].tolist() == [-1, 100, 101, 102]
    assert volume[:, 0, 2].tolist() == [-1, 200.5, 201.5, -1]


def test_a_voxel_beside_one_of_two_slices_is_outside():
    volume = fill_grid(grid([0, 2], [[0, 0], [1, 0]], (4, 2, 3), 1.0), rows, -1)
    assert volume[:, 0, 1].tolist() == [-1, 50.5, 51.5, -1]
