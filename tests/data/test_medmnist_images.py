import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.data import Datalist, DatasetError, build_datalist, describe, medmnist_images
from monai_medmamba.data.medmnist_images import unpack_medmnist, unpacked_name


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def random(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


@pytest.mark.parametrize(
    "images", [random(3, 5, 4), random(3, 5, 4, 3), random(3, 5, 4, dtype=np.uint16), random(3, 5, 4) > 100]
)
def test_pictures_keep_their_values(npz, images):
    folder = unpack_medmnist(npz(train_images=images, train_labels=np.array([[2], [0], [2]])))
    for i, values in enumerate(images):
        with Image.open(folder / "train_images" / f"{i}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), values * 255 if images.dtype == bool else values)
    rows = (folder / "images.csv").read_text().splitlines()
    assert [row.rpartition(",")[0] for row in rows] == [
        "path,label,split",
        "train_images/0.png,2,training",
        "train_images/1.png,0,training",
        "train_images/2.png,2,training",
    ]


def test_unpacks_once(npz, monkeypatch, cache):
    path = npz(train_images=random(2, 4, 4), train_labels=np.array([0, 1]))
    folder = unpack_medmnist(path)
    assert [child.name for child in cache.iterdir()] == [folder.name]
    with monkeypatch.context() as patch:
        patch.setattr(medmnist_images, "_unpack", None)
        assert unpack_medmnist(path) == folder
    os.utime(path, (1, 1))
    assert unpack_medmnist(path) != folder


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "train_images" / "1.png").unlink(), "1 of 2 files changed or missing"),
        (lambda folder: (folder / "train_images" / "0.png").write_bytes(b"x"), "train_images/0.png first"),
        (lambda folder: (folder / "images.csv").write_text("x\n1"), "not readable"),
    ],
)
def test_damage_is_repaired(npz, harm, said, caplog):
    path = npz(train_images=random(2, 4, 4), train_labels=np.array([0, 1]))
    folder = unpack_medmnist(path)
    harm(folder)
    assert unpack_medmnist(path) == folder
    assert said in caplog.text
    assert len(list(folder.rglob("*.png"))) == 2


def test_a_damaged_file_leaves_nothing(npz, cache):
    path = npz(train_images=random(50, 28, 28), train_labels=np.zeros(50, int))
    content = bytearray(path.read_bytes())
    content[20_000:20_050] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="damaged"):
        unpack_medmnist(path)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (random(2, 4, 4, 4), [0, 1], "volumes"),
        (random(2, 3, 4, 4, 3), [0, 1], "volumes"),
        (np.zeros((2, 4, 4)), [0, 1], "float64"),
        (random(2, 4, 4, dtype=np.int16), [0, 1], "int16"),
        (random(2, 4, 4, 3, dtype=np.uint16), [0, 1], "uint16"),
        (random(2, 4, 4), [[0, 1], [1, 2]], r"labels of shape \(2, 2\) beside train_images"),
        (random(2, 4, 4), None, "no labels beside train_images"),
    ],
)
def test_refuses(npz, images, labels, message):
    arrays = {"train_images": images} | ({} if labels is None else {"train_labels": np.array(labels)})
    with pytest.raises(DatasetError, match=message) as refused:
        unpack_medmnist(npz(**arrays))
    assert "set.npz" in str(refused.value)


@pytest.fixture
def chest(npz):
    """A file in which an image may have several labels, or none."""

    def write(splits=("train", "val", "test"), marks=((0, 0, 0), (1, 0, 1), (0, 1, 0), (1, 1, 0))):
        arrays = {}
        for i, short in enumerate(splits):
            arrays[f"{short}_images"] = random(len(marks), 8, 8) ^ i
            arrays[f"{short}_labels"] = np.array(marks, np.uint8)
        return npz("chestmnist_like.npz", **arrays)

    return write


def test_several_labels_an_image(chest, tmp_path):
    datalist = build_datalist(chest())
    assert datalist.several_labels
    assert datalist.class_names == ("atelectasis", "cardiomegaly", "effusion")
    assert [item["label"] for item in datalist.test] == [[0, 0, 0], [1, 0, 1], [0, 1, 0], [1, 1, 0]]
    assert datalist.counts()["training"] == {"atelectasis": 2, "cardiomegaly": 2, "effusion": 1}
    datalist.save(tmp_path / "list.json")
    assert Datalist.load(tmp_path / "list.json") == datalist
    assert "total" in describe(datalist)


def test_several_labels_need_every_split_and_class(chest):
    with pytest.raises(DatasetError, match="fewer splits"):
        build_datalist(chest(("train", "test")))
    with pytest.raises(DatasetError, match="effusion: none in training"):
        build_datalist(chest(marks=((1, 0, 0), (0, 1, 0))))
    with pytest.raises(DatasetError, match="a name of its own"):
        build_datalist(chest(), label_names={"0": "a", "1": "a"})


def test_names():
    assert unpacked_name("a.npz#test_images/1*") == "test_images/1*.png"
    assert unpacked_name("train_images/7.png") == "train_images/7.png"


def test_splits_are_kept_and_images_excluded(npz):
    arrays = {}
    for short, count in (("train", 6), ("val", 2), ("test", 4)):
        arrays |= {f"{short}_images": random(count, 8, 8) ^ count, f"{short}_labels": np.arange(count)[:, None] % 2}
    path = npz("pneumoniamnist_union.npz", **arrays)
    datalist = build_datalist(path)
    assert datalist.class_names == ("normal", "pneumonia")
    assert {split: sum(n.values()) for split, n in datalist.counts().items()} == {
        "training": 6,
        "validation": 2,
        "test": 4,
    }
    fewer = build_datalist(path, exclude=["pneumoniamnist_union.npz#train_images/0", "train_images/1.png"])
    assert len(fewer.training) == 4
    assert build_datalist(path, label_names={"0": "a"}).class_names == ("a", "1")


@pytest.mark.real_data
@pytest.mark.skipif("MEDMAMBA_DATA" not in os.environ, reason="MEDMAMBA_DATA names no folder of real images")
def test_published_files():
    data = Path(os.environ["MEDMAMBA_DATA"]) / "medmnist"
    with pytest.raises(DatasetError, match=r"test_images/76\.png = train_images/115\.png"):
        build_datalist(data / "breastmnist.npz")  # BUSI has this picture under two labels
    breast = build_datalist(data / "breastmnist.npz", leave_out_contradictions=True)
    assert breast == build_datalist(data / "breastmnist.npz", exclude=["breastmnist.npz#train_images/115"])
    assert breast.counts() == {
        "training": {"malignant": 146, "normal, benign": 399},
        "validation": {"malignant": 21, "normal, benign": 57},
        "test": {"malignant": 42, "normal, benign": 114},
    }
    pneumonia = build_datalist(data / "pneumoniamnist_union.npz", leave_out_contradictions=True)
    assert pneumonia.class_names == ("normal", "pneumonia")
    assert (len(pneumonia.training), len(pneumonia.validation), len(pneumonia.test)) == (4698, 524, 624)
