import numpy as np
import pytest

from monai_medmamba.data import DatasetError, build_volume_datalist, unpack_medmnist3d

nibabel = pytest.importorskip("nibabel", reason="the volumes become NIfTI files")


def arrays(**changes):
    rng = np.random.default_rng(0)
    content = {}
    for split, count in (("train", 6), ("val", 4), ("test", 4)):
        content[f"{split}_images"] = rng.integers(0, 256, (count, 5, 6, 7), dtype=np.uint8)
        content[f"{split}_labels"] = (np.arange(count)[:, None] % 2).astype(np.uint8)
    return content | changes


@pytest.fixture
def archive(tmp_path):
    np.savez(tmp_path / "nodulemnist3d.npz", **arrays())
    return tmp_path / "nodulemnist3d.npz"


def test_every_volume_keeps_its_place_class_and_values(archive, tmp_path):
    folder = unpack_medmnist3d(archive, tmp_path / "out")
    image = nibabel.load(folder / "train" / "1" / "1_0003.nii")
    assert np.array_equal(np.asarray(image.dataobj), arrays()["train_images"][3])
    assert image.get_data_dtype() == np.uint8
    datalist = build_volume_datalist(folder)
    assert datalist.class_names == ("0", "1")
    assert datalist.counts() == {
        "training": {"0": 3, "1": 3},
        "validation": {"0": 2, "1": 2},
        "test": {"0": 2, "1": 2},
    }


def test_unpacked_once_into_the_cache(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))
    folder = unpack_medmnist3d(archive)
    assert folder.parent == tmp_path / "cache"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nii")}
    assert unpack_medmnist3d(archive) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.nii")} == before


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"train_images": np.zeros((6, 28, 28), np.uint8)}, r"train_images \(6, 28, 28\) uint8"),
        ({"train_images": np.zeros((6, 5, 6, 7), np.float32)}, "float32"),
        ({"val_labels": np.zeros((4, 14), np.uint8)}, r"val_labels \(4, 14\)"),
        ({"test_labels": np.array([{}] * 4)}, "ValueError"),
    ],
)
def test_refuses(tmp_path, changes, found):
    np.savez(tmp_path / "x.npz", **arrays(**changes))
    with pytest.raises(DatasetError, match=found):
        unpack_medmnist3d(tmp_path / "x.npz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_no_archive(tmp_path, content):
    if content is not None:
        (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"x\.npz"):
        unpack_medmnist3d(tmp_path / "x.npz", tmp_path / "out")
