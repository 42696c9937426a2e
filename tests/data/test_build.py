import logging
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from monai_medmamba.data import DatasetError, build_datalist
from monai_medmamba.data.table import list_table


def names(items, root):
    return sorted(os.path.relpath(item["image"], root).replace(os.sep, "/") for item in items)


@pytest.fixture
def class_folders(tmp_path, paint):
    paint(*(f"set/{label}/{i}.png" for label in ("9", "10") for i in range(10)))
    return tmp_path / "set"


@pytest.fixture
def split_folders(tmp_path, paint):
    paint(
        *(
            f"set/{split}/{label}/{split}{i}.png"
            for split in ("train", "val", "test")
            for label in "ab"
            for i in range(5)
        )
    )
    return tmp_path / "set"


def test_class_folders(class_folders):
    datalist = build_datalist(class_folders)
    assert datalist.class_names == ("9", "10")
    assert datalist.root == str(class_folders)
    assert datalist.counts() == {
        "training": {"9": 6, "10": 6},
        "validation": {"9": 1, "10": 1},
        "test": {"9": 3, "10": 3},
    }
    for item in [*datalist.training, *datalist.validation, *datalist.test]:
        assert Path(item["image"]).is_file()
        assert Path(item["image"]).parent.name == datalist.class_names[item["label"]]
        assert set(item) == {"image", "label"}


def test_same_seed_same_split(class_folders, monkeypatch):
    first, other = build_datalist(class_folders, seed=1), build_datalist(class_folders, seed=2)
    listed = os.listdir
    monkeypatch.setattr("os.listdir", lambda path: listed(path)[::-1])
    monkeypatch.chdir(class_folders.parent)
    assert build_datalist("set", seed=1) == first
    assert other != first


def test_fractions(class_folders):
    assert build_datalist(class_folders, fractions=(0.2, 0.4, 0.4)).counts()["training"] == {"9": 2, "10": 2}
    with pytest.raises(DatasetError, match="sum to 1"):
        build_datalist(class_folders, fractions=(0.6, 0.1, 0.1))
    with pytest.raises(DatasetError, match="positive"):
        build_datalist(class_folders, fractions=(1.1, -0.1, 0.0))


def test_split_folders(split_folders):
    datalist = build_datalist(split_folders)
    for split, folder in (("training", "train"), ("validation", "val"), ("test", "test")):
        assert names(datalist.split(split), split_folders) == [
            f"{folder}/{k}/{folder}{i}.png" for k in "ab" for i in range(5)
        ]


@pytest.mark.parametrize(("folder", "split", "left"), [("val", "validation", 4), ("test", "test", 3)])
def test_missing_split_is_taken_from_training(split_folders, folder, split, left, caplog):
    caplog.set_level(logging.WARNING)
    shutil.rmtree(split_folders / folder)
    datalist = build_datalist(split_folders)
    assert f"No {split} split" in caplog.text
    assert datalist.counts()["training"] == {"a": left, "b": left}
    assert datalist.counts()[split] == {"a": 5 - left, "b": 5 - left}


def test_no_training_split(split_folders):
    shutil.rmtree(split_folders / "train")
    with pytest.raises(DatasetError, match="a training split, found only test, validation"):
        build_datalist(split_folders)


def test_classes_must_match(split_folders, paint):
    shutil.rmtree(split_folders / "val" / "b")
    paint("set/test/c/1.png")
    with pytest.raises(
        DatasetError, match="3 gaps:\n  b: none in validation\n  c: none in training\n  c: none in validation"
    ):
        build_datalist(split_folders)


def test_table_with_patients(tmp_path, paint):
    rows = [f"x/{patient}_{i}.png,{'ab'[patient % 2]},p{patient}" for patient in range(12) for i in range(3)]
    paint(*(row.split(",")[0] for row in rows))
    (tmp_path / "list.csv").write_text("\n".join(["path,label,patient", *rows]))
    datalist = build_datalist(tmp_path)
    patients = [
        {item["patient"] for item in items} for items in (datalist.training, datalist.validation, datalist.test)
    ]
    assert sum(map(len, patients)) == 12
    assert all(count > 0 for counts in datalist.counts().values() for count in counts.values())
    assert build_datalist(tmp_path, csv=tmp_path / "list.csv") == build_datalist(tmp_path, csv="list.csv") == datalist


def test_table_with_splits(tmp_path, paint):
    rows = [f"{split}{label}.png,{label},{split},p{split}" for split in ("train", "valid", "test") for label in "ab"]
    paint(*(row.split(",")[0] for row in rows))
    (tmp_path / "list.csv").write_text("\n".join(["image,class,split,patient_id", *rows]))
    assert names(build_datalist(tmp_path).validation, tmp_path) == ["valida.png", "validb.png"]
    (tmp_path / "list.csv").write_text("\n".join(["image,class,split,patient_id", *rows]).replace("pvalid", "ptest"))
    with pytest.raises(DatasetError, match=r"patient ptest: testa\.png = valida\.png"):
        build_datalist(tmp_path)


def test_other_table_beside_folders(class_folders, caplog):
    caplog.set_level(logging.INFO)
    (class_folders / "scores.csv").write_text("file,score\n1,2\n")
    assert len(build_datalist(class_folders).training) == 12
    assert "has no path and label columns" in caplog.text


def test_other_table_without_folders(tmp_path):
    (tmp_path / "scores.csv").write_text("file,score\n1,2\n")
    with pytest.raises(DatasetError, match="path or image"):
        build_datalist(tmp_path)


def test_missing_images_of_a_table(tmp_path, paint):
    paint("1.png")
    (tmp_path / "list.csv").write_text("path,label\n1.png,a\n2.png,b\n")
    with pytest.raises(DatasetError, match=r"2\.png: No such file"):
        build_datalist(tmp_path)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("x"), lambda path: path.mkdir()])
def test_no_data_set(tmp_path, make):
    make(tmp_path / "set")
    with pytest.raises(DatasetError, match="set"):
        build_datalist(tmp_path / "set")


def test_single_class(tmp_path, paint):
    paint("a/1.png", "a/2.png", "a/3.png")
    with pytest.raises(DatasetError, match=r"(?s)two classes or more.*  a\n"):
        build_datalist(tmp_path)


def test_same_picture_under_two_labels(class_folders, paint):
    paint("set/9/same.png", "set/10/twin.png", content=1)
    with pytest.raises(DatasetError, match=r"10/twin\.png = 9/same\.png"):
        build_datalist(class_folders)


def test_same_picture_in_two_splits(split_folders, paint):
    paint("set/train/a/same.png", "set/test/a/twin.png", content=1)
    paint("set/val/b/same.png", "set/train/b/twin.png", content=2)
    with pytest.raises(DatasetError, match="2 in two splits"):
        build_datalist(split_folders)


@pytest.mark.parametrize("seed", range(5))
def test_repeats_stay_in_one_split(class_folders, paint, seed, caplog):
    caplog.set_level(logging.WARNING)
    paint(*(f"set/9/twin{i}.png" for i in range(3)), content=1)
    datalist = build_datalist(class_folders, seed=seed)
    holders = [items for items in (datalist.training, datalist.validation, datalist.test) if "twin" in str(items)]
    assert len(holders) == 1
    assert str(holders).count("twin") == 3
    assert "2 files repeat the content" in caplog.text


def test_pictures_are_checked(class_folders):
    (class_folders / "9" / "notes.txt").write_text("not a picture")
    with pytest.raises(DatasetError, match=r"9/notes\.txt"):
        build_datalist(class_folders)


def test_a_table_as_data_set(class_folders):
    (class_folders / "list.csv").write_text(
        "file,dx\n9/0.png,9\n10/0.png,10\n9/1.png,9\n10/1.png,10\n9/2.png,9\n10/2.png,10"
    )
    columns = {"path": "file", "label": "dx"}
    datalist = build_datalist(class_folders / "list.csv", columns=columns)
    assert datalist.counts()["training"] == {"9": 1, "10": 1}
    assert build_datalist(class_folders, columns=columns) == datalist


@pytest.mark.parametrize("argument", ["columns", "path_form", "split_names"])
def test_what_tells_of_a_table_needs_one(class_folders, argument):
    with pytest.raises(DatasetError, match=r"one table in .*set that lists the images.*\nName it with csv"):
        build_datalist(class_folders, **{argument: "**/{}" if argument == "path_form" else {"path": "file"}})


def test_names_of_classes(class_folders):
    datalist = build_datalist(class_folders, label_names={"10": "a ten", "9": "nine"})
    assert datalist.class_names == ("nine", "a ten")
    assert {Path(item["image"]).parent.name for item in datalist.test if item["label"] == 0} == {"9"}


def test_classes_with_one_name_are_one(class_folders, paint):
    paint(*(f"set/8/{i}.png" for i in range(10)))
    datalist = build_datalist(class_folders, label_names={"8": "even", "10": "even", "9": "odd"})
    assert datalist.counts()["training"] == {"even": 12, "odd": 6}


def test_patients_in_paths(tmp_path, paint):
    paint(*(f"set/{'ab'[i % 2]}/p{i // 3}_{i}.png" for i in range(36)))
    datalist = build_datalist(tmp_path / "set", patient_pattern=r"/(p[0-9]+)_")
    patients = [{item["patient"] for item in datalist.split(split)} for split in ("training", "validation", "test")]
    assert sum(map(len, patients)) == 12 == len(set().union(*patients))
    with pytest.raises(DatasetError, match=r"(?s)24 paths without:\n  a/p10_30\.png"):
        build_datalist(tmp_path / "set", patient_pattern="p[0-3]_")


def test_excluded_images_are_named_in_the_log(class_folders, paint, caplog):
    caplog.set_level(logging.INFO)
    paint("set/9/same.png", "set/10/twin.png", content=1)
    (class_folders / "10" / "1_mask.png").write_text("no picture at all")
    datalist = build_datalist(class_folders, exclude=["9/same.png", "*_mask*.png"])
    assert sum(len(datalist.split(split)) for split in ("training", "validation", "test")) == 21
    assert "Left out by name: 2 files, 10/1_mask.png, 9/same.png." in caplog.text


def test_contradictions_are_left_out_where_asked(split_folders, paint, caplog):
    paint("set/train/a/same.png", "set/test/b/twin.png", content=1)
    paint("set/val/b/same.png", "set/train/b/twin.png", content=2)
    with pytest.raises(DatasetError, match="under two labels"):
        build_datalist(split_folders)
    datalist = build_datalist(split_folders, leave_out_contradictions=True)
    assert datalist.counts() == {
        "training": {"a": 5, "b": 5},
        "validation": {"a": 5, "b": 6},
        "test": {"a": 5, "b": 6},
    }
    assert "2 files, train/a/same.png, train/b/twin.png" in caplog.text


@pytest.mark.real_data
@pytest.mark.skipif("MEDMAMBA_DATA" not in os.environ, reason="MEDMAMBA_DATA names no folder of real images")
def test_busi_by_the_official_split():
    data = Path(os.environ["MEDMAMBA_DATA"]) / "busi_256"
    columns = {"path": "file", "label": "breastmnist_label", "split": "split"}
    table = data / "breastmnist_split.csv"
    listed = list_table(data, table, columns=columns)
    splits = Counter(entry.split for entry in listed)
    assert splits == {"training": 546, "validation": 78, "test": 156}

    settings = {"csv": table, "columns": columns, "label_names": {"0": "malignant", "1": "normal, benign"}}
    with pytest.raises(DatasetError, match=r"benign/benign_433\.jpg = malignant/malignant_145\.jpg"):
        build_datalist(data, **settings)
    datalist = build_datalist(data, **settings, exclude=["malignant/malignant_145.jpg"])  # its copy is a test image
    assert datalist.counts() == {
        "training": {"malignant": 146, "normal, benign": 399},
        "validation": {"malignant": 21, "normal, benign": 57},
        "test": {"malignant": 42, "normal, benign": 114},
    }
    assert build_datalist(data, **settings, leave_out_contradictions=True) == datalist
    three = build_datalist(data, csv=table, columns={**columns, "label": "busi_class"}, leave_out_contradictions=True)
    assert three.counts()["test"] == {"benign": 92, "malignant": 42, "normal": 22}


@pytest.mark.real_data
@pytest.mark.skipif("MEDMAMBA_DATA" not in os.environ, reason="MEDMAMBA_DATA names no folder of real images")
def test_real_images():
    data = Path(os.environ["MEDMAMBA_DATA"])
    assert build_datalist(data / "kvasir_seg_patches").counts() == {
        "training": {"mucosa": 680, "polyp": 800},
        "validation": {"mucosa": 79, "polyp": 100},
        "test": {"mucosa": 87, "polyp": 100},
    }
    with pytest.raises(DatasetError, match=r"benign_433\.jpg = malignant/malignant_145\.jpg"):
        build_datalist(data / "busi_256")
