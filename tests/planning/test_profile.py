"""What the planner takes from a fingerprint."""

import numpy as np
import pytest

from monai_medmamba.data import DatasetError, build_volume_datalist
from monai_medmamba.fingerprint import fingerprint_dataset
from monai_medmamba.planning import Profile, profile_of
from testing.bundles import class_folders, volume_folders
from testing.dicom_series import write_series


@pytest.fixture
def content(tmp_path):
    return fingerprint_dataset(class_folders(tmp_path / "set", ["a", "b"], 4), tmp_path / "out")


def test_of_a_fingerprint(content):
    profile = profile_of(content, {"seed": 1})
    assert profile.classes == ("a", "b")
    assert profile.counts == {"a": 4, "b": 4}
    assert (profile.images, profile.training, profile.short_side) == (8, 5, 40)
    assert len(profile.mean) == 3
    assert 0 < profile.mean[0] < 1
    assert profile.layout == {"seed": 1}
    assert "repeats" not in profile.as_dict()


def test_pictures_that_are_repeated_come_with_label_and_split(tmp_path):
    folder = class_folders(tmp_path / "set", ["a", "b"], 3)
    (folder / "b" / "copy.png").write_bytes((folder / "a" / "0.png").read_bytes())
    profile = profile_of(fingerprint_dataset(folder, tmp_path / "out"))
    assert profile.repeats == ((("a/0.png", "a", None), ("b/copy.png", "b", None)),)


def test_one_class_is_refused(tmp_path):
    folder = class_folders(tmp_path / "set", ["a"], 3)
    with pytest.raises(DatasetError, match="two classes or more"):
        profile_of(fingerprint_dataset(folder, tmp_path / "out"))


def test_given_splits_count():
    profile = Profile("s", "unknown", "unsure", ("a", "b"), {"a": 9, "b": 3}, splits={"training": 5, "test": 7})
    assert (profile.images, profile.training, profile.imbalance) == (12, 5, 3)


def test_volumes_tell_where_they_lie(tmp_path):
    pytest.importorskip("nibabel", reason="volumes are NIfTI files")
    root = volume_folders(tmp_path / "set", ["a", "b"], count=3)
    profile = profile_of(fingerprint_dataset(root, tmp_path / "out"))
    assert profile.things == "volumes"
    assert profile.space.extent == pytest.approx((45, 51, 48))
    assert profile.space.spacing == pytest.approx((1.5, 1.5, 1.5))
    assert (profile.space.low, profile.space.bytes) == (-1000, False)
    assert profile.modality == "computed tomography"
    assert profile.as_dict()["space"]["low"] == -1000


def test_subjects_of_nifti_files_are_found_when_the_data_are_read(tmp_path):
    nibabel = pytest.importorskip("nibabel", reason="volumes are NIfTI files")
    noise = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(3):
            image = nibabel.Nifti1Image(noise.integers(0, 99, (8, 8, 8), np.int16), np.eye(4))
            nibabel.save(image, tmp_path / "set" / label / f"sub-{label}{i}_T1w.nii.gz")
    profile = profile_of(fingerprint_dataset(tmp_path / "set", tmp_path / "out"))
    assert profile.patients == 6
    assert build_volume_datalist(tmp_path / "set", **profile.layout).training[0]["patient"].startswith("sub-")


def test_series_of_one_patient_have_none(tmp_path):
    pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
    for label in ("a", "b"):
        for i in range(2):
            write_series(tmp_path / "set" / label / f"{i}", range(i, 9, 3), PatientID="ANONYMOUS", uid=f"1.{i}")
    content = fingerprint_dataset(tmp_path / "set", tmp_path / "out", join_slices=True)
    assert profile_of(content).patients == 0
    assert profile_of(content).images == 4


def test_volumes_among_images_are_refused(tmp_path):
    root = volume_folders(tmp_path / "set", ["a", "b"], count=3)
    class_folders(tmp_path / "more", ["a"], 1)
    (tmp_path / "more" / "a" / "0.png").rename(root / "a" / "0.png")
    with pytest.raises(DatasetError, match="6 volumes and 1 images of one slice"):
        profile_of(fingerprint_dataset(root, tmp_path / "out"))
