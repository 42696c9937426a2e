import csv

import numpy as np
import pytest

from monai_medmamba.data.phantoms.published_layouts import LAYOUTS, Phantom, medmnist_file


@pytest.fixture
def write(tmp_path):
    """Writes ten pictures of two classes, and returns the names of the files."""

    def run(layout, names=("benign", "malignant")):
        rng = np.random.default_rng(0)
        phantoms = [
            Phantom(label, i, i + 1, rng.integers(0, 255, (8, 8), dtype=np.uint8)) for label in names for i in range(5)
        ]
        LAYOUTS[layout](tmp_path / "set", phantoms)
        return sorted(p.relative_to(tmp_path / "set").as_posix() for p in (tmp_path / "set").rglob("*") if p.is_file())

    return run


def rows(path, delimiter=","):
    with path.open(newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter))


@pytest.mark.parametrize("layout", ["class_folders", "cpn_xray"])
def test_class_folders(write, layout):
    files = write(layout)
    assert len(files) == 10
    assert files[0] == "benign/benign_000.png"


def test_split_folders(write):
    files = write("split_folders")
    assert [name for name in files if "benign" in name] == [
        "test/benign/benign_001.png",
        "train/benign/benign_000.png",
        "train/benign/benign_002.png",
        "train/benign/benign_004.png",
        "val/benign/benign_003.png",
    ]


def test_fetal_planes_db(write, tmp_path):
    assert write("fetal_planes_db")[:2] == ["FETAL_PLANES_DB_data.csv", "Images/Patient00001_Plane1_1_of_5.png"]
    table = rows(tmp_path / "set" / "FETAL_PLANES_DB_data.csv", ";")
    assert table[0] == ["Image_name", "Patient_num", "Plane", "Brain_plane", "Operator", "US_Machine", "Train "]
    assert (table[1][0], table[1][2], table[1][-1]) == ("Patient00001_Plane1_1_of_5", "benign", "1")


def test_pad_ufes_20(write, tmp_path):
    files = write("pad_ufes_20")
    assert {name.split("/")[0] for name in files} == {"imgs_part_1", "imgs_part_2", "imgs_part_3", "metadata.csv"}
    head, first, *_ = rows(tmp_path / "set" / "metadata.csv")
    assert {"patient_id", "lesion_id", "diagnostic", "img_id"} < set(head)
    assert dict(zip(head, first, strict=True))["img_id"] == "PAT_1_1_0.png"


def test_busi(write, tmp_path):
    files = write("busi")
    assert files[:2] == ["benign/benign (1).png", "benign/benign (1)_mask.png"]
    table = rows(tmp_path / "set" / "breastmnist_split.csv")
    assert table[1] == ["benign/benign (1).png", "benign", "1", "train"]
    assert table[-1] == ["malignant/malignant (5).png", "malignant", "0", "train"]


def test_medmnist(write, tmp_path):
    assert write("medmnist", ("malignant", "normal, benign")) == ["breastmnist_phantoms.npz"]
    with np.load(tmp_path / "set" / "breastmnist_phantoms.npz") as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "train_images": (6, 8, 8),
            "train_labels": (6, 1),
            "test_images": (2, 8, 8),
            "test_labels": (2, 1),
            "val_images": (2, 8, 8),
            "val_labels": (2, 1),
        }
        assert arrays["train_labels"].ravel().tolist() == [0, 0, 0, 1, 1, 1]
    assert medmnist_file(["a", "b"]) == "phantoms.npz"
