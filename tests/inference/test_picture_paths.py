import os
from pathlib import Path

import numpy as np
import pytest

from monai_medmamba.inference import Failure, find_pictures
from testing.dicom_files import write_dicom

ALL = ["a/1.png", "b/1.png", "b/deep/größe [1] 図.JPG", "c.tif"]


def found(names, root):
    """Return what the names lead to, relative to ``root``, where nothing failed."""
    paths, failures = find_pictures(names)
    assert failures == []
    return [Path(path).relative_to(root).as_posix() for path in paths]


def test_a_folder_at_any_depth(folder):
    assert found([folder], folder) == ALL


def test_dicom_files_by_any_name(folder):
    pytest.importorskip("pydicom", reason="DICOM files need pydicom")
    write_dicom(folder / "IM0001", np.zeros((4, 4), dtype=np.uint8))
    (folder / "old.dcm").write_bytes(b"no mark")
    assert found([folder], folder) == ["IM0001", *ALL, "old.dcm"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.tif", ["c.tif"]),
        ("*/1.png", ["a/1.png", "b/1.png"]),
        ("**/*.png", ["a/1.png", "b/1.png"]),
        ("b/dee?", ["b/deep/größe [1] 図.JPG"]),
        ("[ab]", ALL[:3]),
        ("*", [*ALL, "notes.txt"]),
    ],
)
def test_patterns(folder, pattern, expected):
    assert found([folder / pattern], folder) == expected


def test_a_file_counts_whatever_it_is_called(folder):
    named = [folder / "notes.txt", folder / "b" / ".hidden.png", folder / ALL[2]]  # the last has brackets
    assert found(named, folder) == ["notes.txt", "b/.hidden.png", ALL[2]]


def test_each_file_once_in_the_order_of_the_names(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = ["c.tif", "a", str(folder / "a" / "1.png"), "./c.tif", "b/*.png"]
    assert find_pictures(names) == (["c.tif", os.path.join("a", "1.png"), os.path.join("b", "1.png")], [])


def test_home_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert found([os.path.join("~", "*.tif")], folder) == ["c.tif"]


def test_names_that_lead_nowhere_are_told(folder):
    (folder / "empty").mkdir()
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("a")
    names = [folder / name for name in ("c.tif", "missing.png", "*.gif", "empty", "texts")]
    paths, failures = find_pictures(names)
    assert paths == [str(folder / "c.tif")]
    assert [Path(failure.image).name for failure in failures] == ["missing.png", "*.gif", "empty", "texts"]
    reasons = ["no such file", "nothing matches", "no picture in this folder", "no picture in this folder"]
    assert all(part in failure.reason for part, failure in zip(reasons, failures, strict=True))


def test_a_link_to_nowhere_is_kept(folder):
    os.symlink(folder / "gone.png", folder / "link.png")
    assert found([folder / "link.png"], folder) == ["link.png"]
    assert "link.png" in found([folder], folder)


def test_a_folder_that_cannot_be_read(folder, monkeypatch):
    def refuse(top, onerror):
        onerror(PermissionError(13, "Permission denied", f"{top}/b"))
        return iter([(os.fspath(top), [], ["c.tif"])])

    monkeypatch.setattr(os, "walk", refuse)
    paths, failures = find_pictures([folder])
    assert paths == [str(folder / "c.tif")]
    assert failures == [Failure(f"{folder}/b", "Permission denied: check the folder's permissions")]
