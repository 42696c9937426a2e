import json
import logging
import multiprocessing
import os

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.data import DatasetError, build_datalist, endoscopy_phantoms
from monai_medmamba.data.phantoms import FINDINGS, draw_phantom, kept_set, store

SMALL = {"images_per_class": 2, "size": 24}


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def phantoms(tmp_path):
    return endoscopy_phantoms(tmp_path / "set", **SMALL)


def test_layout(phantoms, tmp_path):
    assert phantoms == tmp_path / "set"
    assert sorted(child.name for child in phantoms.iterdir() if child.is_dir()) == list(FINDINGS)
    with Image.open(phantoms / "polyps" / "polyps_001.png") as image:
        assert (np.asarray(image) == draw_phantom("polyps", 1, size=24)).all()
    assert [child.name for child in tmp_path.iterdir()] == ["set"]


def test_same_seed_same_pixels(phantoms, tmp_path):
    assert contents(endoscopy_phantoms(tmp_path / "again", **SMALL)) == contents(phantoms)
    other = endoscopy_phantoms(tmp_path / "other", **SMALL, seed=1)
    assert contents(other).keys() == contents(phantoms).keys()
    assert all(contents(other)[name] != content for name, content in contents(phantoms).items())


def test_a_larger_set_begins_alike(phantoms, tmp_path):
    larger = contents(endoscopy_phantoms(tmp_path / "larger", images_per_class=3, size=24))
    assert all(larger[name] == data for name, data in contents(phantoms).items() if name.endswith(".png"))


def test_second_use_draws_nothing(phantoms, monkeypatch):
    monkeypatch.setattr(store, "draw_phantom", None)
    assert endoscopy_phantoms(phantoms, **SMALL) == phantoms


def test_default_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))
    folder = endoscopy_phantoms(**SMALL)
    assert folder.parent == tmp_path / "cache"
    assert endoscopy_phantoms(**SMALL, seed=1) != folder
    assert len(list((tmp_path / "cache").iterdir())) == 2


def change_pixel(folder):
    path = folder / "polyps" / "polyps_000.png"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (change_pixel, "1 of 16 files changed or missing, polyps/polyps_000.png first"),
        (lambda folder: (folder / "polyps" / "polyps_001.png").unlink(), "polyps_001.png"),
        (lambda folder: (folder / kept_set.MANIFEST).write_text("{"), "not readable"),
    ],
)
def test_damage_is_repaired(phantoms, harm, said, caplog):
    whole = contents(phantoms)
    harm(phantoms)
    caplog.set_level(logging.WARNING)
    endoscopy_phantoms(phantoms, **SMALL)
    assert said in caplog.text
    assert contents(phantoms) == whole
    assert [child.name for child in phantoms.parent.iterdir()] == ["set"]


def test_files_of_others_are_safe(phantoms, tmp_path):
    (phantoms / "polyps" / "mine.png").write_bytes(b"precious")
    with pytest.raises(DatasetError, match=r"1 other files:\n  polyps/mine\.png"):
        endoscopy_phantoms(phantoms, **SMALL)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("precious")
    with pytest.raises(DatasetError, match="something else"):
        endoscopy_phantoms(tmp_path / "full", **SMALL)
    with pytest.raises(DatasetError, match="something else"):
        endoscopy_phantoms(tmp_path / "full" / "notes.txt", **SMALL)
    assert (tmp_path / "full" / "notes.txt").read_text() == "precious"


def test_other_arguments_in_one_folder(phantoms):
    with pytest.raises(DatasetError, match="'size': 32"):
        endoscopy_phantoms(phantoms, images_per_class=2, size=32)


def test_empty_folder_is_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    assert len(contents(endoscopy_phantoms(tmp_path / "empty", **SMALL))) == 17


@pytest.mark.parametrize("arguments", [{"images_per_class": 0}, {"size": 8}, {"seed": -1}])
def test_invalid_arguments(tmp_path, arguments):
    with pytest.raises(DatasetError, match="at least 1 image"):
        endoscopy_phantoms(tmp_path / "set", **arguments)


def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    def fail(label, number, **_):
        if label == "polyps":
            raise KeyboardInterrupt
        return np.zeros((24, 24, 3), np.uint8)

    monkeypatch.setattr(store, "draw_phantom", fail)
    with pytest.raises(KeyboardInterrupt):
        endoscopy_phantoms(tmp_path / "set", **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        endoscopy_phantoms(tmp_path / "set", **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_processes_at_once(tmp_path, damaged):
    if damaged:
        change_pixel(endoscopy_phantoms(tmp_path / "set", **SMALL))
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)

    def work():
        barrier.wait()
        endoscopy_phantoms(tmp_path / "set", **SMALL)

    workers = [context.Process(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert os.listdir(tmp_path) == ["set"]
    noted = json.loads((tmp_path / "set" / kept_set.MANIFEST).read_text())
    assert len(noted["files"]) == 16


def test_builds_a_datalist(phantoms, tmp_path):
    datalist = build_datalist(endoscopy_phantoms(tmp_path / "ten", images_per_class=10, size=16))
    assert datalist.class_names == tuple(FINDINGS)
    assert set(datalist.counts()["training"].values()) == {6}
