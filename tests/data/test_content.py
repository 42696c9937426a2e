import hashlib
import logging

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.data import DatasetError
from monai_medmamba.data.content import check_apart, check_one_label, digest_images, warn_of_repeats
from monai_medmamba.data.entry import Entry


def test_digests(tmp_path, paint):
    paint("a.png", "b.png")
    digests = digest_images(tmp_path, [Entry("b.png", "x"), Entry("a.png", "x")])
    assert digests == [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("b.png", "a.png")]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_every_faulty_file_is_named(tmp_path, paint):
    paint("good.png")
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:20])
    page = Image.fromarray(np.zeros((2, 2), np.uint8))
    page.save(tmp_path / "stack.tif", save_all=True, append_images=[page])
    page.save(tmp_path / "moving.gif")
    Image.new("1", (10_000, 9_000)).save(tmp_path / "huge.png")
    names = ["good.png", "page.jpg", "empty.png", "cut.png", "gone.png", "stack.tif", "moving.gif", "huge.png"]
    with pytest.raises(DatasetError) as refused:
        digest_images(tmp_path, [Entry(name, "x") for name in names])
    text = str(refused.value)
    assert "7 of 8 files" in text
    assert "good.png" not in text
    for fault in (
        "page.jpg: not a picture",
        "empty.png: empty",
        "cut.png: ",
        "gone.png: No such file",
        "stack.tif: 2 pictures",
        "moving.gif: not a picture",
        "huge.png: 10000 x 9000 pixels",
    ):
        assert fault in text


def test_one_label():
    entries = [Entry("a/1.png", "a"), Entry("b/1.png", "b"), Entry("b/2.png", "b")]
    check_one_label(entries, ["x", "y", "y"])
    with pytest.raises(DatasetError, match=r"1 under two labels:\n  a/1\.png = b/2\.png"):
        check_one_label(entries, ["x", "y", "x"])


def test_apart():
    entries = [
        Entry("1.png", "a", "training", "ann"),
        Entry("2.png", "a", "training", "ann"),
        Entry("3.png", "a", "test", "bob"),
    ]
    check_apart(entries, ["x", "x", "y"])
    with pytest.raises(DatasetError, match=r"(?s)each picture in one split.*1\.png = 3\.png"):
        check_apart(entries, ["x", "y", "x"])
    with pytest.raises(DatasetError, match=r"patient ann: 1\.png = 4\.png"):
        check_apart([*entries, Entry("4.png", "b", "validation", "ann")], ["x", "y", "z", "w"])


def test_unknown_patients_are_not_one_patient():
    check_apart([Entry("1.png", "a", "training"), Entry("2.png", "a", "test")], ["x", "y"])


def test_repeats_are_logged(caplog):
    caplog.set_level(logging.WARNING)
    entries = [Entry(f"{i}.png", "a") for i in range(4)]
    warn_of_repeats(entries, ["x", "y", "z", "w"])
    assert not caplog.records
    warn_of_repeats(entries, ["x", "y", "x", "x"])
    assert "2 files repeat the content of another in their split, 2.png for one" in caplog.text
