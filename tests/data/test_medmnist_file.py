import io
import zipfile

import numpy as np
import pytest

from monai_medmamba.data import DatasetError, medmnist_file
from monai_medmamba.data.medmnist_file import read_parts, stream_images


class Trap:
    def __reduce__(self):
        return (open, ("trap", "w"))


def test_reads_without_loading(npz):
    path = npz(
        train_images=np.zeros((3, 5, 4), np.uint8),
        train_labels=np.array([[1], [0], [1]]),
        test_images=np.zeros((1, 5, 4), np.uint16),
        more=np.zeros(1),
    )
    (train, test), others = read_parts(path)
    assert train[:3] == ("train_images", "training", (3, 5, 4))
    assert train.labels.tolist() == [[1], [0], [1]]
    assert test[:4] == ("test_images", "test", (1, 5, 4), np.uint16)
    assert test.labels is None
    assert others == ["more.npy"]


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (6, 5, 4), (6, 5, 4, 3)])
def test_streams_what_is_wanted(npz, shape):
    images = np.random.default_rng(0).integers(0, 255, (7, *shape), dtype=np.uint8)
    path = npz(train_images=images, val_images=images[:2])
    found = dict(stream_images(path, {"set.npz#train_images/2", "set.npz#train_images/5", "set.npz#val_images/1"}))
    assert list(found) == ["set.npz#train_images/2", "set.npz#train_images/5", "set.npz#val_images/1"]
    np.testing.assert_array_equal(found["set.npz#train_images/5"], images[5])
    np.testing.assert_array_equal(found["set.npz#val_images/1"], images[1])


def test_one_channel_becomes_none(npz):
    path = npz(train_images=np.ones((1, 5, 4, 1), np.uint8))
    assert next(stream_images(path, {"set.npz#train_images/0"}))[1].shape == (5, 4)


def test_python_objects_are_never_unpickled(tmp_path, npz, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = npz(train_images=np.array([Trap(), Trap()], dtype=object).reshape(2, 1, 1))
    with pytest.raises(DatasetError, match="never loaded"):
        read_parts(path)
    assert not (tmp_path / "trap").exists()


def rewrite(path, name, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def header(shape, dtype="|u1"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"\x93NUMPY\x01\x00", "damaged"),
        (header((10**9, 28, 28)), "says"),
        (header((2, 4, 4)) + bytes(31), "says"),
        (header((2, 4)) + bytes(8), "of shape"),
        (header((1, 10**5, 10**5)), "says"),
        (header((1, 0, 4)), "of shape"),
        (header((1, 4, 4), "<c16") + bytes(256), "complex128"),
    ],
)
def test_contradictions_are_refused(tmp_path, content, message):
    with pytest.raises(DatasetError, match=message):
        read_parts(rewrite(tmp_path / "set.npz", "train_images.npy", content))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(medmnist_file, "RATIO_MATTERS_FROM", 1000)
    path = rewrite(tmp_path / "set.npz", "train_images.npy", header((1000, 28, 28)) + bytes(784_000))
    with pytest.raises(DatasetError, match="decompression bomb"):
        read_parts(path)


@pytest.mark.parametrize(
    "labels", [np.zeros((3, 1)), np.zeros((2, 1), np.uint8), np.array([["a"], ["b"], ["c"]], dtype="U1")]
)
def test_labels_that_do_not_fit(npz, labels):
    with pytest.raises(DatasetError, match="train_labels"):
        read_parts(npz(train_images=np.zeros((3, 4, 4), np.uint8), train_labels=labels))


def test_a_damaged_stream(npz):
    path = npz(train_images=np.random.default_rng(0).integers(0, 255, (50, 28, 28), dtype=np.uint8))
    content = bytearray(path.read_bytes())
    content[20_000:20_050] = bytes(50)
    path.write_bytes(content)
    wanted = {f"set.npz#train_images/{i}" for i in range(50)}
    with pytest.raises(DatasetError, match="damaged"):
        list(stream_images(path, wanted))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x05\x06" + bytes(18)])
def test_no_archive(tmp_path, content):
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(DatasetError, match="MedMNIST"):
        read_parts(tmp_path / "set.npz")
