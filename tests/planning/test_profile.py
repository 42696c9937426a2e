"""What the planner takes from a fingerprint."""

import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.fingerprint import fingerprint_dataset
from monai_medmamba.planning import Profile, profile_of
from testing.bundles import class_folders


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
