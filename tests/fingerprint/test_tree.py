import os

import numpy as np
import pytest

from monai_medmamba.fingerprint.tree import kind_of, leads_inside, walk
from testing.dicom_files import write_dicom


def test_walk(tmp_path):
    root = tmp_path / "set"
    (root / "b" / ".hidden").mkdir(parents=True)
    for name in ("z.png", "b/2.png", "b/.hidden/3.png", "b/.DS_Store", "b/Thumbs.db"):
        (root / name).write_bytes(b"")
    (tmp_path / "outside.png").write_bytes(b"")
    os.symlink(tmp_path / "outside.png", root / "out.png")
    os.symlink(root / "z.png", root / "in.png")
    os.symlink(root, root / "b" / "loop")
    names, remarks = walk(root)
    assert names == ["b/2.png", "in.png", "out.png", "z.png"]
    assert [(remark.code, remark.path) for remark in remarks] == [
        ("outside_link", "out.png"),
        ("linked_folder", "b/loop"),
    ]


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert walk(tmp_path)[1] == [("unreadable_folder", "locked", "Permission denied")]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.PNG", b"", "picture"),
        ("a.nii.gz", b"", "nifti"),
        ("a.nii", b"", "nifti"),
        ("a.dcm", b"", "dicom"),
        ("IM0001", b"\0" * 128 + b"DICM", "dicom"),
        ("no_suffix", b"\x89PNG\r\n\x1a\n", "picture"),
        ("photo.jpeg2", b"\xff\xd8\xff\xe0", "picture"),
        ("a.gif", b"GIF89a", "picture"),
        ("notes.txt", b"hello", None),
        ("DICOMDIR", b"\0" * 128 + b"DICM", None),
        ("empty", b"", None),
    ],
)
def test_kind(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert kind_of(tmp_path / name) == kind


def test_kind_of_a_real_dicom_file(tmp_path):
    assert kind_of(write_dicom(tmp_path / "I1", np.zeros((4, 4), np.uint8))) == "dicom"


def test_leads_inside(tmp_path):
    assert leads_inside(tmp_path / "a" / ".." / "b", os.path.realpath(tmp_path))
    assert not leads_inside(tmp_path / "..", os.path.realpath(tmp_path))
