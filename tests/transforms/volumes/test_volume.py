import itertools
import sys

import numpy as np
import pytest

from monai_medmamba.transforms import ImageReadError
from monai_medmamba.transforms.volumes import Volume, to_ras
from monai_medmamba.transforms.volumes.volume import check_nibabel, check_values
from testing.dicom_series import slope_of_space, voxel_points

pytest.importorskip("nibabel", reason="volumes are turned by nibabel")

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (-1, -1, -1)])
def test_every_orientation_keeps_each_voxel_at_its_place(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = np.diag(signs)[:, order] * [1.0, 2.0, 3.0]
    affine[:3, 3] = 4, 5, 6
    values = slope_of_space(voxel_points(VALUES.shape, affine)).astype(np.float32)
    turned = to_ras(Volume(values, affine))
    assert (turned.affine[:3, :3].diagonal() > 0).all()
    assert np.count_nonzero(turned.affine[:3, :3]) == 3
    assert turned.values == pytest.approx(slope_of_space(voxel_points(turned.values.shape, turned.affine)))
    assert turned.values.flags.c_contiguous


def test_spacing_and_changes_stay():
    turned = to_ras(Volume(VALUES, np.diag([-1.0, 2, 3, 1]), ("one",)))
    assert turned.spacing == (1, 2, 3)
    assert turned.changes == ("one",)


def test_values_that_are_no_numbers():
    check_values("a.nii", VALUES)
    with pytest.raises(ImageReadError, match=r"a\.nii: 1 of 24 voxels are NaN or infinite"):
        check_values("a.nii", np.where(VALUES == 3, np.nan, VALUES))


def test_without_nibabel(monkeypatch):
    check_nibabel("a.nii")
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(ImageReadError, match=r"nibabel, which is not installed\. Install it"):
        check_nibabel("a.nii")
