import logging

import numpy as np
import pytest

from monai_medmamba.bundle import list_volumes, prepare_volumes
from monai_medmamba.data import DatasetError, chest_phantoms
from monai_medmamba.data.phantoms import chest_store
from testing.bundles import volume_folders
from testing.dicom_files import write_dicom
from testing.dicom_series import write_series

pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")
pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

PIXELS = np.zeros((4, 4), np.int16)


@pytest.fixture
def phantoms(tmp_path):
    return chest_phantoms(tmp_path / "set", volumes_per_class=5, size=16)


def test_a_folder(phantoms, caplog):
    caplog.set_level(logging.INFO)
    data = prepare_volumes(phantoms, seed=1)
    assert data.class_names == ("benign", "malignant")
    assert "benign" in caplog.text
    assert {x["image"] for split in ("training", "validation", "test") for x in data.split(split)} == {
        x["image"] for x in list_volumes(phantoms)
    }


def test_the_phantoms_where_nothing_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path))
    monkeypatch.setattr(chest_store.chest_phantoms, "__kwdefaults__", {"volumes_per_class": 5, "size": 16, "seed": 0})
    assert len(prepare_volumes("").training) == 6
    assert "say nothing about patients" in caplog.text
    assert len(list_volumes("")) == 10


def test_an_archive_of_medmnist(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))
    content = {}
    for number, split in enumerate(("train", "val", "test")):
        content[f"{split}_images"] = np.random.default_rng(number).integers(0, 256, (4, 5, 5, 5), np.uint8)
        content[f"{split}_labels"] = np.array([[0], [0], [1], [1]])
    np.savez(tmp_path / "x.npz", **content)
    assert prepare_volumes(tmp_path / "x.npz").counts()["test"] == {"0": 2, "1": 2}
    assert len(list_volumes(tmp_path / "x.npz")) == 12


def test_what_counts_as_a_volume(tmp_path, phantoms):
    write_series(tmp_path / "set" / "case" / "DICOM", [0, 3])
    (tmp_path / "set" / "case" / "notes.txt").write_text("hello")
    write_series(tmp_path / "set" / ".old", [0, 3])
    (tmp_path / "set" / "films").mkdir()
    frames = {"NumberOfFrames": 2, "PixelData": PIXELS.tobytes() * 2}
    for name in ("a", "b"):
        write_dicom(tmp_path / "set" / "films" / name, PIXELS, **frames)
    found = [x["image"].removeprefix(f"{tmp_path}/set/") for x in list_volumes(tmp_path / "set")]
    assert [name for name in found if not name.endswith(".nii.gz")] == ["case/DICOM", "films/a", "films/b"]
    assert len(found) == 13
    assert list_volumes(tmp_path / "set" / "films" / "a") == [{"image": str(tmp_path / "set" / "films" / "a")}]


def test_what_a_layout_leaves_out(tmp_path):
    root = volume_folders(tmp_path / "set", ["a", "b"], count=6)
    layout = {"exclude": ["a/0.nii.gz"], "fractions": [0.4, 0.3, 0.3]}
    data = prepare_volumes(root, 0, layout)
    assert sum(data.counts()[split]["a"] for split in ("training", "validation", "test")) == 5
    assert len(list_volumes(root, layout)) == 11
    with pytest.raises(DatasetError, match="found column"):
        prepare_volumes(root, 0, {"column": {}})


def test_nothing_there(tmp_path):
    for named in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DatasetError, match="Name the folder of volumes with --dataset_dir"):
            list_volumes(named)


def test_what_is_wrong_is_logged(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    with pytest.raises(DatasetError):
        prepare_volumes(tmp_path)
    assert "Expected" in caplog.text
