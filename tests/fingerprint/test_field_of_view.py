import numpy as np
import pytest

from monai_medmamba.fingerprint.field_of_view import field_of_view


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_a_disc_in_a_dark_surround(dtype):
    rows, columns = np.mgrid[:100, :120] - 55
    disc = rows**2 + columns**2 < 40**2
    picture = np.where(disc, 180, 3).astype(dtype)
    picture[50:60, 50:60] = 0  # a lumen
    np.testing.assert_array_equal(field_of_view(picture), disc)


def test_negative_values(draw):
    scan = np.full((30, 30), -1000.0)
    scan[5:25, 8:20] = draw(1, 20, 12, colour=False)
    inside = field_of_view(scan)
    assert inside.sum() == 20 * 12
    assert inside[5:25, 8:20].all()


def test_volume():
    scan = np.zeros((9, 9, 9))
    scan[2:7, 3:6, 1:8] = 100
    scan[4, 4, 4] = 0
    assert field_of_view(scan).sum() == 5 * 3 * 7


@pytest.mark.parametrize("value", [0, 77, -1000.0])
def test_a_constant_image_is_inside_as_a_whole(value):
    assert field_of_view(np.full((4, 5), value)).all()


def test_a_picture_without_surround_is_inside_as_a_whole(draw):
    assert field_of_view(draw(1, colour=False)).all()
