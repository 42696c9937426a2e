import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from monai_medmamba.inference import VolumePreprocessing
from monai_medmamba.transforms import ImageReadError
from testing.bundles import ROOT
from testing.dicom_series import write_series

nibabel = pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")
pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

SIZE, SPACING = (16, 12, 8), (1.5, 1.0, 2.5)
GOOD = {
    "volume_size": list(SIZE),
    "spacing": list(SPACING),
    "intensity_range": [-900, 300],
    "mean": [0.4],
    "std": [0.3],
}


@pytest.fixture
def volumes(tmp_path):
    """One larger than the network's input, one smaller."""
    values = np.random.default_rng(0).normal(-300, 400, (40, 30, 20)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.0, 1.2, 2.0, 1])), tmp_path / "large.nii.gz")
    write_series(tmp_path / "small", [0, 3, 6])
    return [tmp_path / "large.nii.gz", tmp_path / "small"]


@pytest.mark.parametrize("intensity_range", [[-900, 300], None])
def test_is_the_bundle_s(volumes, intensity_range):
    config = ConfigParser.load_config_file(ROOT / "bundles" / "medmamba_ct3d" / "configs" / "inference.json")
    kept = {name: config[name] for name in ("imports", "preprocessing", "read_size", "series", "missing")}
    told = {**GOOD, "intensity_range": intensity_range}
    parser = ConfigParser({**kept, **told})
    parser.get_parsed_content("imports")
    steps, ours = parser.get_parsed_content("preprocessing"), VolumePreprocessing.from_description(told)
    for path in volumes:
        found = ours.read(path)
        assert type(found) is torch.Tensor
        assert (found.dtype, tuple(found.shape)) == (torch.float32, ours.shape)
        assert torch.equal(found, torch.as_tensor(steps({"image": str(path)})["image"]))


def test_description_and_back():
    for told in (GOOD, {**GOOD, "intensity_range": None}):
        assert VolumePreprocessing.from_description({**told, "more": 1}).describe() == told


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spacing": None}, "expected spacing as a list of numbers, got None"),
        ({"volume_size": [32, 32]}, r"expected 3 numbers above 0 as volume_size, got \[32, 32\]"),
        ({"volume_size": [32, 32, 1.5]}, "expected whole voxels"),
        ({"spacing": [1, 1, 0]}, "expected 3 numbers above 0 as spacing"),
        ({"spacing": [1, 1, float("nan")]}, "expected 3 numbers above 0 as spacing"),
        ({"intensity_range": [400, -1000]}, "expected an intensity_range that rises"),
        ({"intensity_range": [0]}, "expected 2 numbers as intensity_range"),
        ({"mean": [0.1, 0.2]}, "expected 1 numbers as mean"),
        ({"std": [0]}, "positive std"),
    ],
)
def test_what_is_wrong_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        VolumePreprocessing.from_description({**GOOD, **changes})


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="preprocessing lacks spacing, std"):
        VolumePreprocessing.from_description({k: v for k, v in GOOD.items() if k not in ("spacing", "std")})


def test_errors_name_the_file_and_windows_are_for_pictures(tmp_path, volumes):
    ours = VolumePreprocessing.from_description(GOOD)
    (tmp_path / "a.nii").write_text("hello")
    with pytest.raises(ImageReadError, match=r"a\.nii"):
        ours.read(tmp_path / "a.nii")
    with pytest.raises(ValueError, match="no window for volumes"):
        ours.read(volumes[0], (40, 400))
