import gzip
import struct

import numpy as np
import pytest

from monai_medmamba.fingerprint.decoded import UnreadableError
from monai_medmamba.fingerprint.read_nifti import read_nifti

nibabel = pytest.importorskip("nibabel", reason="NIfTI needs nibabel")


@pytest.fixture
def nifti(tmp_path):
    def write(values, name="a.nii.gz", affine=None):
        image = nibabel.Nifti1Image(values, np.diag([1.0, 2, 3, 1]) if affine is None else affine)
        image.to_filename(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_axes_spacing_and_orientation(nifti, name):
    values = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
    found = read_nifti(nifti(values, name))
    np.testing.assert_array_equal(found.values, values.T)
    assert (found.volume, found.full_scale, found.mode, found.bits) == (True, None, "float32", 32)
    assert found.tags == {"spacing": [1, 2, 3], "orientation": "RAS"}
    assert found.flags == ()


def test_one_slice_is_an_image(nifti):
    found = read_nifti(nifti(np.random.default_rng(0).normal(size=(4, 5, 1))))
    assert (found.volume, found.values.shape) == (False, (5, 4))


def test_the_middle_of_a_series(nifti):
    values = np.random.default_rng(0).normal(size=(3, 4, 5, 7))
    found = read_nifti(nifti(values))
    np.testing.assert_array_equal(found.values, values[..., 3].T)
    assert (found.frames, found.flags) == (7, ("frames: 7 volumes",))


def test_a_map_of_structures(nifti):
    assert read_nifti(nifti(np.arange(60, dtype=np.int16).reshape(3, 4, 5) % 4)).flags == ("mask: 4 values",)


def test_no_orientation(nifti):
    path = nifti(np.random.default_rng(0).normal(size=(3, 4, 5)), "a.nii")
    content = bytearray(path.read_bytes())
    struct.pack_into("<hh", content, 252, 0, 0)  # qform_code, sform_code
    struct.pack_into("<3f", content, 80, 1.0, 0.0, 1.0)  # pixdim
    path.write_bytes(content)
    flags = read_nifti(path).flags
    assert flags[0] == "no_orientation"


def damaged(content, how):
    if how == "cut":
        return content[:-100]
    if how == "huge":
        content = bytearray(content)
        struct.pack_into("<4h", content, 40, 3, 30000, 30000, 30000)
        return bytes(content)
    return {"empty": b"", "nonsense": b"nonsense" * 100}[how]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("how", "message"), [("cut", "damaged"), ("huge", "voxels"), ("empty", "damaged"), ("nonsense", "damaged")]
)
def test_unreadable(nifti, tmp_path, how, message, packed):
    content = damaged(nifti(np.zeros((4, 5, 6)), "whole.nii").read_bytes(), how)
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(UnreadableError, match=message):
        read_nifti(path)


def test_values_that_are_no_numbers(nifti):
    values = np.ones((3, 4, 5))
    values[1, 1, 1] = np.nan
    with pytest.raises(UnreadableError, match="1 of 60 voxels"):
        read_nifti(nifti(values))
    with pytest.raises(UnreadableError, match="complex"):
        read_nifti(nifti(np.ones((3, 4, 5), np.complex64)))
