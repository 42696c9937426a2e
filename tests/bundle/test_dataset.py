import logging

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.bundle import list_images, prepare_data
from monai_medmamba.data import DatasetError
from testing.dicom_patients import write_patient


@pytest.fixture
def folder(tmp_path):
    for name in ("polyp", "normal"):
        (tmp_path / name).mkdir()
        for i in range(10):
            pixels = np.random.randint(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_a_folder_says_its_classes_and_counts(folder, caplog):
    with caplog.at_level(logging.INFO):
        data = prepare_data(folder)
    assert data.class_names == ("normal", "polyp")
    assert sum(sum(split.values()) for split in data.counts().values()) == 20
    assert "normal" in caplog.text
    assert "phantoms" not in caplog.text


def test_without_a_folder_it_says_that_it_takes_phantoms(folder, caplog, monkeypatch):
    monkeypatch.setattr("monai_medmamba.bundle.dataset.endoscopy_phantoms", lambda: folder)
    with caplog.at_level(logging.INFO):
        data = prepare_data("")
    assert data.class_names == ("normal", "polyp")
    assert "no --dataset_dir given: using synthetic endoscopy phantoms" in caplog.text


PHANTOMS = {"images_per_class": 10, "size": 16}
BUSI = {
    "csv": "breastmnist_split.csv",
    "columns": {"path": "file", "label": "breastmnist_label", "split": "split"},
    "label_names": {"0": "malignant", "1": "normal, benign"},
    "exclude": ["*_mask*.png"],
    "phantoms": {"classes": ["benign", "malignant", "normal"], "layout": "busi", "grey": True, **PHANTOMS},
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", str(tmp_path / "cache"))


def test_a_layout_tells_how_to_read_and_what_to_draw(cache, caplog):
    data = prepare_data("", layout=BUSI)
    assert data.class_names == ("malignant", "normal, benign")
    assert data.counts()["test"] == {"malignant": 2, "normal, benign": 4}
    assert "using synthetic cartoon phantoms in" in caplog.text
    assert prepare_data(data.root, layout=BUSI) == data
    images = list_images("", BUSI)
    assert len(images) == 30
    assert "mask" not in str(images)


def test_a_layout_of_arrays(cache):
    layout = {"phantoms": {"classes": ["normal", "pneumonia"], "layout": "medmnist", **PHANTOMS}}
    data = prepare_data("", layout=layout)
    assert data.class_names == ("normal", "pneumonia")
    assert len(list_images("", layout)) == 20


def test_fractions_may_be_a_list(folder):
    counts = prepare_data(folder, layout={"fractions": [0.2, 0.4, 0.4]}).counts()
    assert counts["training"] == {"normal": 2, "polyp": 2}


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"colums": {}}, "layout with columns, csv, .* found colums"),
        ({"seed": 1}, "found seed"),
        ({"phantoms": {"classes": ["a", "b"]}}, "phantoms with .*, found no layout"),
        ({"phantoms": {"classes": ["a", "b"], "layout": "busi", "gray": True}}, "found gray"),
        ({"phantoms": {"classes": ["a", "b"], "layout": "kaggle"}}, "one of the layouts"),
    ],
)
def test_a_layout_with_other_words_is_refused(cache, layout, message, caplog):
    with pytest.raises(DatasetError, match=message):
        prepare_data("", layout=layout)
    assert "Expected" in caplog.text


def test_the_error_stands_in_the_log_too(tmp_path, caplog):
    with pytest.raises(DatasetError, match="nowhere"):
        prepare_data(tmp_path / "nowhere")
    assert "nowhere" in caplog.text


def test_images_of_a_folder_at_any_depth(folder):
    found = list_images(folder)
    assert len(found) == 20
    assert found == sorted(found, key=lambda item: item["image"])
    assert list_images(found[0]["image"]) == found[:1]


def test_dicom_files_by_any_name(tmp_path):
    """Those without a picture are left out, and so are indexes and hidden files."""
    pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
    for name in ("a/IM1", "a/b/IM2.dcm", "DICOMDIR", ".hidden"):
        write_patient(tmp_path / name)
    report = pydicom.dcmread(write_patient(tmp_path / "SR1"))
    del report.Rows, report.PixelData
    report.save_as(tmp_path / "SR1")
    assert [item["image"] for item in list_images(tmp_path)] == [str(tmp_path / n) for n in ("a/IM1", "a/b/IM2.dcm")]


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DatasetError, match="none in"):
        list_images(tmp_path)
