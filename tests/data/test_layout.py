import logging

import numpy as np
import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.layout import list_entries


@pytest.fixture
def folder(tmp_path, paint):
    paint("set/a/1.png", "set/b/2.png")
    return tmp_path / "set"


def labels(found):
    return {entry.path: entry.label for entry in found[1]}


def test_folders(folder):
    root, entries, *_ = list_entries(folder)
    assert root == folder
    assert [entry.path for entry in entries] == ["a/1.png", "b/2.png"]


def test_tables(folder, tmp_path, monkeypatch):
    text = "path,label\na/1.png,x\nb/2.png,y\n"
    (folder / "list.csv").write_text(text)
    wanted = {"a/1.png": "x", "b/2.png": "y"}
    assert labels(list_entries(folder)) == labels(list_entries(folder / "list.csv")) == wanted
    (folder / "other.csv").write_text(text.replace("x", "z"))
    assert labels(list_entries(folder)) == {"a/1.png": "a", "b/2.png": "b"}
    assert labels(list_entries(folder, "other.csv"))["a/1.png"] == "z"
    (tmp_path / "other.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert labels(list_entries("set", "other.csv"))["a/1.png"] == "x"


def test_a_table_of_other_things(folder, caplog):
    caplog.set_level(logging.INFO)
    (folder / "notes.csv").write_text("file,dx\na/1.png,x\nb/2.png,y\n")
    assert labels(list_entries(folder))["a/1.png"] == "a"
    assert "has no path and label columns" in caplog.text
    assert labels(list_entries(folder, columns={"path": "file", "label": "dx"}))["a/1.png"] == "x"


@pytest.mark.parametrize("name", ["gone", "list.txt"])
def test_no_data_set(tmp_path, name):
    (tmp_path / "list.txt").write_text("path,label\n")
    with pytest.raises(DatasetError, match="a folder"):
        list_entries(tmp_path / name)


@pytest.fixture
def packed(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "arrays").mkdir()
    images = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    np.savez(tmp_path / "arrays" / "breastmnist_224.npz", train_images=images, train_labels=np.array([[0], [1]]))
    return tmp_path / "arrays" / "breastmnist_224.npz"


def test_arrays(packed):
    listed = list_entries(packed)
    assert list_entries(packed.parent) == listed
    assert not listed.several_labels
    assert labels(listed) == {"train_images/0.png": "0", "train_images/1.png": "1"}
    assert listed.label_names == {"0": "malignant", "1": "normal, benign"}
    with pytest.raises(DatasetError, match="the file tells labels and splits itself"):
        list_entries(packed, columns={"path": "file"})
