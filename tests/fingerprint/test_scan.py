import os

import numpy as np
import pytest

from monai_medmamba.fingerprint import scan as module
from monai_medmamba.fingerprint.listing import list_dataset
from monai_medmamba.fingerprint.scan import processors, scan
from monai_medmamba.fingerprint.store import Store


@pytest.fixture
def run(tmp_path):
    def do(data, **options):
        listing = list_dataset(data)
        with Store(tmp_path / "store.sqlite", listing.root) as store:
            return scan(listing, store, **options)

    return do


@pytest.fixture
def read(monkeypatch):
    """Counts which pictures are read."""
    names, real = [], module.READERS["picture"]

    def reader(path):
        names.append(path.name)
        return real(path)

    monkeypatch.setitem(module.READERS, "picture", reader)
    return names


@pytest.mark.parametrize("workers", [1, 3])
def test_order_is_that_of_the_list(paint, run, workers):
    measured, failures = run(paint(*(f"a/{i:03d}.png" for i in range(60))), workers=workers)
    assert list(measured) == [f"a/{i:03d}.png" for i in range(60)]
    assert failures == {}


def test_only_what_changed_is_read_again(paint, run, read):
    folder = paint("a/1.png", "a/2.png", "a/3.png")
    first, _ = run(folder)
    assert sorted(read) == ["1.png", "2.png", "3.png"]
    read.clear()
    assert run(folder)[0] == first
    assert read == []
    paint("a/2.png", "a/4.png")
    (folder / "a" / "3.png").unlink()
    second, _ = run(folder)
    assert sorted(read) == ["2.png", "4.png"]
    assert list(second) == ["a/1.png", "a/2.png", "a/4.png"]
    assert second["a/2.png"] != first["a/2.png"]


def test_an_interrupted_run_goes_on(paint, run, read, monkeypatch):
    folder = paint(*(f"a/{i:02d}.png" for i in range(40)))
    real = module.measure

    def measure(image, key):
        if len(read) > 25:
            raise KeyboardInterrupt
        return real(image, key)

    monkeypatch.setattr(module, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        run(folder, workers=1)
    monkeypatch.setattr(module, "measure", real)
    read.clear()
    measured, _ = run(folder)
    assert len(measured) == 40
    assert len(read) <= 32


def test_failures_are_named_and_tried_again(paint, run):
    folder = paint("a/1.png", "a/2.png")
    good = (folder / "a/1.png").read_bytes()
    (folder / "a/1.png").write_bytes(good[:300])
    measured, failures = run(folder)
    assert (list(measured), list(failures)) == (["a/2.png"], ["a/1.png"])
    (folder / "a/1.png").write_bytes(good)
    assert run(folder)[1] == {}


def test_a_decoder_that_raises_anything(paint, run, monkeypatch):
    folder = paint("a/1.png", "a/2.png")

    def reader(path):
        raise AssertionError("inside the decoder")

    monkeypatch.setitem(module.READERS, "picture", reader)
    measured, failures = run(folder)
    assert measured == {}
    assert "AssertionError: inside the decoder" in failures["a/1.png"]


def test_a_link_to_nowhere(paint, run):
    folder = paint("a/1.png")
    os.symlink(folder / "gone.png", folder / "a" / "2.png")
    assert run(folder)[1] == {"a/2.png": "No such file or directory. Check the path and its permissions."}


def test_a_pipe_is_never_opened(paint, run):
    folder = paint("a/1.png")
    os.mkfifo(folder / "a" / "2.png")
    (folder / "a" / "3.png").mkdir()
    os.symlink("/dev/zero", folder / "a" / "4.png")
    measured, failures = run(folder)
    assert list(measured) == ["a/1.png"]
    assert {path: "no file" in reason for path, reason in failures.items()} == {"a/2.png": True, "a/4.png": True}


def test_arrays_are_measured_from_the_stream(tmp_path, draw, run, monkeypatch):
    images = np.stack([draw(i, 28, 28) for i in range(30)])
    np.savez(tmp_path / "set.npz", train_images=images, train_labels=np.zeros((30, 1), np.uint8))
    measured, _ = run(tmp_path / "set.npz")
    assert measured["set.npz#train_images/7"].mean == pytest.approx(images[7].mean(axis=(0, 1)) / 255, rel=1e-5)
    monkeypatch.setattr(module, "stream_images", None)  # all is kept, so it is not opened again
    assert run(tmp_path / "set.npz")[0] == measured


@pytest.mark.parametrize(
    ("values", "unit", "volume"),
    [
        (np.zeros((4, 5), bool), True, False),
        (np.ones((4, 5, 3), np.uint16), True, False),
        (np.ones((6, 5, 4), np.float32), False, True),
        (np.full((4, 5), np.inf), None, None),
    ],
)
def test_arrays_of_any_type(tmp_path, run, values, unit, volume):
    np.savez(tmp_path / "set.npz", train_images=values[None], train_labels=np.zeros((1, 1), int))
    measured, failures = run(tmp_path / "set.npz")
    if unit is None:
        assert "NaN or infinite" in failures["set.npz#train_images/0"]
    else:
        found = measured["set.npz#train_images/0"]
        assert (found.unit, found.depth > 1) == (unit, volume)


def test_processors():
    assert processors() >= 1
