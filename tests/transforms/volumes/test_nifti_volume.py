import numpy as np
import pytest

from monai_medmamba.transforms import ImageReadError
from monai_medmamba.transforms.volumes import read_nifti_volume

nibabel = pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")

VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def write(path, values=VALUES, affine=None, kind=nibabel.Nifti1Image):
    image = kind(values, np.diag([-1.0, 2, 3, 1]) if affine is None else affine)
    image.header.set_sform(image.affine, code=1)
    image.header.set_qform(image.affine, code=1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", "f4", "f8"])
def test_formats(tmp_path, name, kind, dtype):
    volume = read_nifti_volume(write(tmp_path / name, VALUES.astype(dtype), kind=kind))
    assert np.array_equal(volume.values, VALUES[::-1])  # left to right
    assert volume.values.dtype == np.float32
    assert volume.affine.diagonal().tolist() == [1, 2, 3, 1]
    assert volume.affine[:3, 3].tolist() == [-1, 0, 0]


def test_scaled_values(tmp_path):
    image = nibabel.Nifti1Image(VALUES, np.eye(4))
    image.header.set_slope_inter(0.5, -1024)
    nibabel.save(image, tmp_path / "a.nii")
    stored = np.asarray(nibabel.load(tmp_path / "a.nii").dataobj)
    assert np.array_equal(read_nifti_volume(tmp_path / "a.nii").values, stored)


def test_a_time_axis_of_one(tmp_path):
    assert read_nifti_volume(write(tmp_path / "a.nii", VALUES[..., None])).values.shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 4, 5), np.int16), r"shape \(2, 3, 4, 5\), expected one volume.*Save the volume"),
        (np.zeros((2, 3), np.int16), "expected one volume"),
        (np.zeros((2, 3, 4), np.complex64), "holds complex64, expected grey"),
        (np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "expected grey values"),
        (np.full((2, 3, 4), np.nan, np.float32), "24 of 24 voxels are NaN"),
    ],
)
def test_refuses(tmp_path, values, message):
    path = write(tmp_path / "a.nii", values)
    with pytest.raises(ImageReadError, match=message) as raised:
        read_nifti_volume(path)
    assert str(raised.value).startswith(f"Cannot read the image {path}: ")


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        (252, b"\0" * 4, r"does not say how it lies in space.*set_sform"),  # codes of qform and sform
        (280, b"\0" * 16, "an axis has no length"),  # first row of the sform
    ],
)
def test_refuses_a_header_without_a_place_in_space(tmp_path, place, content, message):
    path = write(tmp_path / "a.nii")
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + content + whole[place + len(content) :])
    with pytest.raises(ImageReadError, match=message):
        read_nifti_volume(path)


@pytest.mark.parametrize("case", ["missing", "empty", "text", "cut", "analyze"])
def test_no_nifti(tmp_path, case):
    path = tmp_path / "a.nii"
    if case == "cut":
        path.write_bytes(write(tmp_path / "whole.nii").read_bytes()[:-9])
    elif case == "analyze":
        nibabel.AnalyzeImage(VALUES, np.eye(4)).to_filename(tmp_path / "a.img")
        path = tmp_path / "a.img"
    elif case != "missing":
        path.write_bytes({"empty": b"", "text": b"hello"}[case])
    with pytest.raises(ImageReadError, match=rf"{path.name}: "):
        read_nifti_volume(path)


@pytest.mark.real_data
def test_real_files(medmamba_data):
    """Every volume is the one that nibabel gives turned to its canonical form; time series are refused."""
    read = 0
    for path in sorted((medmamba_data / "nifti").iterdir()):
        image = nibabel.load(path)
        if image.ndim > 3 and image.shape[3] > 1:
            with pytest.raises(ImageReadError, match="expected one volume of three axes"):
                read_nifti_volume(path)
            continue
        volume, expected = read_nifti_volume(path), nibabel.as_closest_canonical(image)
        assert volume.affine == pytest.approx(expected.affine)
        assert np.array_equal(volume.values, expected.get_fdata(dtype=np.float32).reshape(volume.values.shape))
        read += 1
    assert read >= 5
