import logging

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset, MetaTensor, set_track_meta
from monai.transforms import Compose, LoadImage, Orientation, Spacingd

import monai_medmamba.transforms
from monai_medmamba.transforms import ImageReadError, LoadVolume, LoadVolumed
from testing.dicom_series import voxel_points, write_series

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
nibabel = pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")

EVEN = [0, 3, 6, 9, 12]


@pytest.fixture
def series(tmp_path):
    return write_series(tmp_path / "series", EVEN)


def as_nifti(volume, path, axes="LPS"):
    """Write a loaded volume as a NIfTI file whose axes point elsewhere."""
    image = nibabel.Nifti1Image(volume[0].numpy(), volume.affine.numpy())
    turns = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(axes)
    )
    nibabel.save(image.as_reoriented(turns), path)
    return path


def test_shape(series):
    volume = LoadVolume()(series)
    assert isinstance(volume, MetaTensor)
    assert (volume.shape, volume.dtype) == ((1, 12, 10, 5), torch.float32)
    assert volume.meta["filename_or_obj"] == str(series)
    assert volume.meta["spatial_shape"].tolist() == [12, 10, 5]
    assert (volume.meta["space"], volume.meta["original_channel_dim"], volume.meta["changes"]) == ("RAS", 0, "")
    assert volume.pixdim.tolist() == pytest.approx([1.5, 2, 3])


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PIR", "SLA"])
def test_dicom_and_nifti_of_one_volume_are_equal(series, tmp_path, axes):
    volume = LoadVolume()(series)
    other = LoadVolume()(as_nifti(volume, tmp_path / "same.nii.gz", axes))
    assert torch.equal(volume.as_tensor(), other.as_tensor())
    torch.testing.assert_close(volume.affine, other.affine)


def test_the_place_is_that_which_monai_finds(series, tmp_path):
    path = as_nifti(LoadVolume()(series), tmp_path / "same.nii", "PIR")
    expected = Orientation(axcodes="RAS", labels=None)(
        LoadImage(reader="NibabelReader", ensure_channel_first=True)(path)
    )
    found = LoadVolume()(path)
    torch.testing.assert_close(found.as_tensor(), expected.as_tensor())
    torch.testing.assert_close(found.affine, expected.affine)


def test_the_same_place_as_itk(series):
    itk = pytest.importorskip("itk", reason="compares with ITK's reader")
    names = itk.GDCMSeriesFileNames.New(Directory=str(series))
    image = itk.imread(names.GetFileNames("1.2.3"), itk.F)
    volume = LoadVolume()(series)
    points = voxel_points(volume.shape[1:], volume.affine.numpy()) * [-1, -1, 1]
    for index in np.ndindex(*volume.shape[1:]):
        value = image.GetPixel(image.TransformPhysicalPointToIndex(points[index].tolist()))
        assert value == float(volume[0][index])


def test_other_entries_stay(series):
    item = {"image": str(series), "label": 3}
    loaded = LoadVolumed(keys="image")(item)
    assert (loaded["label"], item["image"]) == (3, str(series))
    with pytest.raises(KeyError):
        LoadVolumed(keys="image")({"label": 0})
    assert LoadVolumed(keys="image", allow_missing_keys=True)({"label": 0}) == {"label": 0}


def test_in_a_pipeline_and_a_batch(series, tmp_path):
    other = as_nifti(LoadVolume()(series), tmp_path / "same.nii")
    steps = Compose([LoadVolumed("image"), Spacingd("image", pixdim=(3, 3, 3))])
    loader = DataLoader(Dataset([{"image": str(series)}, {"image": str(other)}], steps), batch_size=2)
    batch = next(iter(loader))["image"]
    assert batch.shape == (2, 1, 6, 7, 5)
    assert batch.meta["filename_or_obj"] == [str(series), str(other)]
    assert torch.equal(batch[0], batch[1])


def test_in_a_bundle_config():
    config = {"_target_": "monai_medmamba.transforms.LoadVolumed", "keys": "image", "series": "largest"}
    loader = ConfigParser({"load": config}).get_parsed_content("load")
    assert isinstance(loader, monai_medmamba.transforms.LoadVolumed)
    assert loader.loader.series == "largest"


def test_the_arguments_reach_the_reader(tmp_path):
    write_series(tmp_path, [0, 3, 9, 12], uid="1.2.3")
    write_series(tmp_path, EVEN, uid="1.2.4")
    assert LoadVolume(series="largest")(tmp_path).shape[-1] == 5
    volume = LoadVolume(series="1.2.3", missing="interpolate")(tmp_path)
    assert volume.shape[-1] == 5
    assert volume.meta["changes"] == "steps of 3.00 to 6.00 mm interpolated to 3.00 mm"


@pytest.mark.parametrize("name", ["picture.png", "no_suffix", "gone.dcm", "gone.nii.gz"])
def test_refuses(tmp_path, name):
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"hello")
    with pytest.raises(ImageReadError, match=rf"{name}: .*(no file of a volume|no such file)"):
        LoadVolume()(tmp_path / name)


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_real_file_is_a_volume_or_says_why_not(medmamba_data):
    shapes, refused = {}, {}
    for path in sorted((medmamba_data / "dicom" / "transfer_syntaxes").iterdir()):
        try:
            shapes[path.stem] = tuple(LoadVolume()(path).shape)
        except ImageReadError as error:
            refused[path] = str(error)
    assert shapes == {"eCT_Supplemental": (1, 512, 512, 2), "liver": (1, 512, 512, 3)}
    for path, text in refused.items():
        assert text.startswith(f"Cannot read the image {path}: ")
        assert any(reason in text for reason in ("holds one slice", "no part of a volume"))


def test_without_metadata(series):
    set_track_meta(False)
    try:
        assert type(LoadVolume()(series)) is torch.Tensor
    finally:
        set_track_meta(True)


def test_says_nothing_of_a_plain_series(series, caplog):
    caplog.set_level(logging.INFO)
    LoadVolume()(series)
    assert caplog.records == []
