from pathlib import Path

import pytest

from monai_medmamba.data import Datalist, DatasetError, build_datalist
from monai_medmamba.federated import part_hospitals
from testing.bundles import class_folders


@pytest.fixture
def data(tmp_path):
    return build_datalist(class_folders(tmp_path / "set", ["a", "b", "c"], count=30))


def test_balance(data, tmp_path):
    parted = part_hospitals(data, tmp_path / "parts", share=0.8)
    counts = {name: build_datalist(folder).counts()["training"] for name, folder in parted.items()}
    assert counts["north"] == {"a": 14, "b": 4, "c": 14}  # of 18 images a class
    assert counts["south"] == {"a": 4, "b": 14, "c": 4}


def test_every_image_goes_to_one_hospital(data, tmp_path):
    part_hospitals(data, tmp_path / "parts", ["x", "y", "z"], share=0.5)
    given = sorted(path.read_bytes() for path in (tmp_path / "parts").rglob("*.png"))
    assert given == sorted(path.read_bytes() for path in Path(data.root).rglob("*.png"))
    for split in ("training", "validation", "test"):
        parts = len(list((tmp_path / "parts").glob(f"*/{split}/*/*.png")))
        assert parts == len(data.split(split))


def test_equal_shares(data, tmp_path):
    parted = part_hospitals(data, tmp_path / "parts", share=0.5)
    assert len({str(build_datalist(folder).counts()["training"]) for folder in parted.values()}) == 1


def test_patients_stay_together(data, tmp_path):
    split = {s: [{**x, "patient": f"{s}{i // 2}"} for i, x in enumerate(data.split(s))] for s in ("training", "test")}
    split["validation"] = data.validation
    people = Datalist(data.class_names, split["training"], split["validation"], split["test"], data.root)
    part_hospitals(people, tmp_path / "parts")
    where = {}
    for path in (tmp_path / "parts").glob("*/training/*/*.png"):
        where[path.read_bytes()] = path.parts[-4]
    for i in range(0, len(people.training) - 1, 2):
        pair = [where[Path(people.training[j]["image"]).read_bytes()] for j in (i, i + 1)]
        assert len(set(pair)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ["one"]}, "two hospitals or more"),
        ({"names": ["one", "one"]}, "two hospitals or more"),
        ({"share": 1.0}, "a share from 0.5 to below 1"),
        ({"share": 0.4}, "a share from 0.5 to below 1"),
        ({"share": 0.99}, "every class in every split of every hospital"),
    ],
)
def test_invalid_arguments(data, tmp_path, changes, message):
    with pytest.raises(DatasetError, match=message):
        part_hospitals(data, tmp_path / "parts", **changes)
    assert not (tmp_path / "parts").exists()


def test_leaves_what_is_there(data, tmp_path):
    (tmp_path / "parts").mkdir()
    with pytest.raises(DatasetError, match="no folder"):
        part_hospitals(data, tmp_path / "parts")


def test_refuses_several_labels(tmp_path):
    items = [{"image": str(tmp_path / "1.png"), "label": [1, 0]}]
    with pytest.raises(DatasetError, match="one label an image"):
        part_hospitals(Datalist(("a", "b"), items, [], [], str(tmp_path)), tmp_path / "parts")
