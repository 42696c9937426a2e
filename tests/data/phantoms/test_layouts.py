import numpy as np
import pytest
from PIL import Image

from monai_medmamba.data import DatasetError, build_datalist, layout_phantoms

PLANES = ["Other", "Fetal brain", "Maternal cervix"]
SMALL = {"images_per_class": 10, "size": 16}
SETTINGS = {
    "class_folders": {},
    "split_folders": {},
    "cpn_xray": {},
    "medmnist": {},
    "fetal_planes_db": {
        "columns": {"path": "Image_name", "label": "Plane", "patient": "Patient_num", "split": "Train"},
        "path_form": "Images/{}.png",
        "split_names": {"1": "training", "0": "test"},
    },
    "pad_ufes_20": {
        "columns": {"path": "img_id", "label": "diagnostic", "patient": "patient_id"},
        "path_form": "**/{}",
    },
    "busi": {
        "csv": "breastmnist_split.csv",
        "columns": {"path": "file", "label": "busi_class", "split": "split"},
    },
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("layout", SETTINGS)
def test_each_layout_becomes_a_datalist(layout, tmp_path):
    data = layout_phantoms(PLANES, layout, tmp_path / "set", **SMALL, grey=True)
    datalist = build_datalist(data, **SETTINGS[layout])
    named = layout != "medmnist"  # where labels are numbers
    assert datalist.class_names == (tuple(sorted(PLANES)) if named else ("0", "1", "2"))
    counts = datalist.counts()
    assert {name: sum(counts[split][name] for split in counts) for name in datalist.class_names} == dict.fromkeys(
        datalist.class_names, 10
    )
    patients = [{item.get("patient") for item in datalist.split(s)} for s in ("training", "validation", "test")]
    if layout in ("fetal_planes_db", "pad_ufes_20"):
        assert sum(map(len, patients)) == len(set().union(*patients)) > 10
    with Image.open(datalist.test[0]["image"]) as picture:
        assert np.asarray(picture).shape == (16, 16)


def test_the_official_split_of_patients_is_kept(tmp_path):
    data = layout_phantoms(PLANES, "fetal_planes_db", tmp_path / "set", **SMALL)
    datalist = build_datalist(data, **SETTINGS["fetal_planes_db"])
    assert {int(item["patient"]) % 2 for item in datalist.test} == {0}
    assert {int(item["patient"]) % 2 for item in [*datalist.training, *datalist.validation]} == {1}


def test_masks_are_left_out_of_class_folders(tmp_path):
    data = layout_phantoms(["benign", "malignant", "normal"], "busi", tmp_path / "set", **SMALL)
    datalist = build_datalist(data, exclude=["*_mask*.png"])
    assert sum(len(datalist.split(split)) for split in ("training", "validation", "test")) == 30
    two = build_datalist(
        data,
        csv="breastmnist_split.csv",
        columns={"path": "file", "label": "breastmnist_label", "split": "split"},
        label_names={"0": "malignant", "1": "normal, benign"},
    )
    assert two.counts()["test"] == {"malignant": 2, "normal, benign": 4}


def test_names_of_a_medmnist_set_come_back():
    data = layout_phantoms(["normal", "pneumonia"], "medmnist", **SMALL)
    assert data == layout_phantoms(["normal", "pneumonia"], "medmnist", **SMALL)
    assert data.name == "pneumoniamnist_phantoms.npz"
    assert build_datalist(data).class_names == ("normal", "pneumonia")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "kaggle"}, "one of the layouts class_folders, split_folders"),
        ({"class_names": ["a"]}, "2 to 20 different class names"),
        ({"class_names": ["a", "a"]}, "2 to 20 different class names"),
        ({"class_names": [str(i) for i in range(21)]}, "2 to 20 different class names"),
        ({"class_names": ["a", "../b"]}, r"(?s)can name a folder.*  \.\./b"),
        ({"class_names": ["a", ".."]}, "can name a folder"),
        ({"images_per_class": 9}, "images_per_class=9"),
        ({"patients": 2}, "patients=2"),
        ({"size": 8}, "size=8"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_invalid_arguments(tmp_path, arguments, message):
    with pytest.raises(DatasetError, match=message):
        layout_phantoms(**{"class_names": ["a", "b"], "layout": "busi", "out": tmp_path / "set", **arguments})
    assert not (tmp_path / "set").exists()
