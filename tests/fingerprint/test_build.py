"""The whole way, from each layout to the JSON file."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.data import DatasetError, layout_phantoms
from monai_medmamba.fingerprint import SCHEMA_VERSION, fingerprint_dataset, load_fingerprint
from testing.dicom_files import write_dicom

DOCUMENT = Path(__file__).parents[2] / "docs" / "concepts" / "fingerprint.md"


def test_class_folders(paint, take):
    folder = paint(*(f"{label}/{i}.png" for label in ("a", "b") for i in range(20)))
    content = take(folder)
    assert content["dataset"] == {
        "name": "set",
        "layout": "class folders",
        "images": 40,
        "readable": 40,
        "unreadable": 0,
        "other_files": 0,
    }
    assert content["findings"] == []
    assert content["summary"] == {"problem": 0, "warning": 0, "note": 0}
    assert [(entry["name"], entry["images"], entry["share"]) for entry in content["labels"]["classes"]] == [
        ("a", 20, 0.5),
        ("b", 20, 0.5),
    ]
    assert content["splits"] is None
    assert content["files"]["formats"] == {"PNG": 40}
    assert content["files"]["storage"] == {"colour of 8 bits": 40}
    assert (content["sizes"]["distinct"], content["sizes"]["width"]["median"]) == (1, 64)


def test_split_folders(paint, take, files_of):
    folder = paint(*(f"{s}/{c}/{i}.png" for s in ("train", "val", "test") for c in "ab" for i in range(8)))
    shutil.copy(folder / "train/a/0.png", folder / "test/a/copy.png")
    shutil.copy(folder / "train/a/1.png", folder / "train/b/copy.png")
    shutil.copy(folder / "val/a/1.png", folder / "val/a/copy.png")
    content = take(folder)
    assert content["splits"] == {"training": 17, "validation": 17, "test": 17}
    assert content["labels"]["classes"][0]["by_split"] == {"test": 9, "training": 8, "validation": 9}
    assert files_of(content, "same_across_splits") == ["test/a/copy.png"]
    assert files_of(content, "same_across_labels") == ["train/a/1.png"]
    assert files_of(content, "same_in_split") == ["val/a/1.png"]
    exact = content["duplicates"]["exact"]
    assert (exact["groups"], exact["images"], exact["across_splits"], exact["across_labels"]) == (3, 6, 1, 1)
    assert exact["list"][0]["files"] == ["test/a/copy.png", "train/a/0.png"]
    assert content["intensity"][0]["by_split"].keys() == {"training", "validation", "test"}


def test_near_duplicates(paint, take, files_of, draw, jpeg):
    folder = paint(*(f"{s}/{c}/{i}.png" for s in ("train", "test") for c in "ab" for i in range(8)))
    first = Image.open(folder / "train/a/0.png")
    (folder / "test/a/again.jpg").write_bytes(jpeg(np.asarray(first), quality=60))
    first.resize((100, 100)).save(folder / "train/b/larger.png")
    Image.fromarray((np.asarray(Image.open(folder / "test/b/3.png")) * 0.8).astype(np.uint8)).save(
        folder / "test/b/darker.png"
    )
    content = take(folder)
    assert files_of(content, "near_across_splits") == ["test/a/again.jpg"]
    assert files_of(content, "near_across_labels") == ["test/a/again.jpg"]
    assert files_of(content, "near_in_split") == ["test/b/3.png"]
    near = content["duplicates"]["near"]
    assert [group["files"] for group in near["list"]] == [
        ["test/a/again.jpg", "train/a/0.png", "train/b/larger.png"],
        ["test/b/3.png", "test/b/darker.png"],
    ]
    assert content["duplicates"]["exact"]["groups"] == 0


def test_table(paint, take, files_of):
    folder = paint(*(f"scans/{i}.png" for i in range(30)))
    rows = [f"scans/{i}.png,{'ab'[i % 2]},Doe^{i // 3},{'train' if i < 20 else 'test'}" for i in range(30)]
    (folder / "list.csv").write_text("\n".join(["path,label,patient,split", *rows]))
    content = take(folder)
    assert content["dataset"]["layout"] == "table"
    patients = content["patients"]
    assert (patients["patients"], patients["images_per_patient"]["median"]) == (10, 3)
    assert files_of(content, "patient_across_splits") == ["scans/18.png"]
    assert [entry["patients"] for entry in content["labels"]["classes"]] == [10, 10]


def test_patients_are_never_written(paint, take, tmp_path):
    folder = paint("a/1.png", "b/2.png")
    (folder / "list.csv").write_text("path,label,patient\na/1.png,a,Doe^Jane\nb/2.png,b,Roe^Rick\n")
    take(folder)
    dicom = tmp_path / "dicom"
    for name in ("Jane", "Rick"):
        (dicom / "scans").mkdir(parents=True, exist_ok=True)
        pixels = np.arange(400, dtype=np.uint16).reshape(20, 20)
        write_dicom(
            dicom / "scans" / name[:1], pixels, PatientID=f"Doe^{name}", PatientName="Roe^X", StudyInstanceUID="1.2.3"
        )
    fingerprint_dataset(dicom, tmp_path / "second")
    written = [path for folder in ("out", "second") for path in (tmp_path / folder).iterdir()]
    assert len(written) == 6
    for path in written:
        for secret in (b"Doe^", b"Roe^", b"1.2.3"):  # no letters alone: base64 may spell them
            assert secret not in path.read_bytes(), path


def test_the_layout_of_a_table(tmp_path, take):
    classes = ["Fetal brain", "Other"]
    data = layout_phantoms(classes, "fetal_planes_db", tmp_path / "set", images_per_class=10, size=32)
    content = take(
        data,
        columns={"path": "Image_name", "label": "Plane", "patient": "Patient_num", "split": "Train"},
        path_form="Images/{}.png",
        split_names={"1": "training", "0": "test"},
    )
    assert (content["dataset"]["readable"], content["dataset"]["layout"]) == (20, "table")
    assert content["splits"] == {"training": 10, "validation": 0, "test": 10}
    assert content["patients"]["patients"] == 11


def test_medmnist(tmp_path, take, draw, files_of):
    images = np.stack([draw(i, 28, 28, colour=False) for i in range(60)])
    images[41] = images[0]
    labels = (np.arange(60) % 3).astype(np.uint8)[:, None]
    arrays = {
        f"{split}_{what}": values[begin:end]
        for split, begin, end in (("train", 0, 40), ("val", 40, 50), ("test", 50, 60))
        for what, values in (("images", images), ("labels", labels))
    }
    np.savez_compressed(tmp_path / "breastmnist.npz", **arrays)
    content = take(tmp_path / "breastmnist.npz")
    assert content["dataset"]["layout"] == "medmnist"
    assert content["splits"] == {"training": 40, "validation": 10, "test": 10}
    assert [entry["images"] for entry in content["labels"]["classes"]] == [20, 20, 20]
    assert files_of(content, "same_across_splits") == ["breastmnist.npz#train_images/0"]
    assert content["modality"]["guess"] == "ultrasound"
    assert content["intensity"][0]["mean"] == pytest.approx([images.mean() / 255], rel=1e-5)
    assert content["intensity"][0]["std"] == pytest.approx([(images / 255).std()], rel=1e-5)


def test_dicom_tree_whose_folders_are_patients(tmp_path, take):
    for patient in ("p1", "p2", "p3"):
        for image in range(4):
            folder = tmp_path / "set" / patient / "series"
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(image + 10 * int(patient[1])).integers(0, 900, (40, 30), dtype=np.int16)
            write_dicom(
                folder / f"IM{image}",
                pixels,
                PatientID=patient,
                Modality="CT",
                RescaleSlope=2,
                RescaleIntercept=-1000,
                SeriesInstanceUID=f"1.2.{patient[1]}",
                StudyInstanceUID=f"1.3.{patient[1]}",
                PixelSpacing=[0.5, 0.25],
            )
    content = take(tmp_path / "set")
    assert content["dataset"]["layout"] == "patient folders"
    assert content["labels"]["classes"] == []
    assert (content["patients"]["patients"], content["patients"]["series"]) == (3, 3)
    assert content["modality"] == {
        "guess": "computed tomography",
        "kinds": ["computed tomography"],
        "confidence": "certain",
        "evidence": ["The DICOM files say so: CT 12."],
    }
    values = content["intensity"][0]
    assert (values["scale"], values["min"], values["max"]) == ("units of the files", -1000, pytest.approx(798, abs=10))
    assert content["sizes"]["spacing_mm"][0]["median"] == 0.5
    assert {finding["code"] for finding in content["findings"]} == {"no_window"}


def test_nifti_folder(tmp_path, take):
    nibabel = pytest.importorskip("nibabel")
    for subject in range(3):
        folder = tmp_path / "set" / f"sub-{subject}" / "anat"
        folder.mkdir(parents=True)
        values = np.random.default_rng(subject).normal(300, 90, (12, 20, 30)).astype(np.float32)
        nibabel.Nifti1Image(values, np.diag([1.0, 2, 3, 1])).to_filename(folder / f"sub-{subject}_T1w.nii.gz")
    content = take(tmp_path / "set")
    assert content["dataset"]["layout"] == "patient folders"
    assert (content["files"]["spatial_dims"], content["patients"]["patients"]) == (3, 3)
    assert content["sizes"]["most_common"] == [{"width": 12, "height": 20, "depth": 30, "images": 3}]
    assert [axis["median"] for axis in content["sizes"]["spacing_mm"]] == [1, 2, 3]


def test_everything_bad_is_named_and_nothing_dies(paint, take, files_of, draw, tmp_path):
    folder = paint(*(f"{label}/{i}.png" for label in "ab" for i in range(20)))
    good = (folder / "a/0.png").read_bytes()
    (folder / "a/cut.png").write_bytes(good[: len(good) // 2])
    (folder / "a/empty.jpg").write_bytes(b"")
    (folder / "a/page.jpg").write_text("<html>not found</html>")
    (folder / "a/animation.gif").write_bytes(b"GIF89a" + b"\0" * 20)
    (folder / "b/notes.txt").write_text("hello")
    paint("b/one.png", values=np.full((40, 40), 7, np.uint8))
    paint("b/small.png", values=draw(901, 9, 9))
    paint("b/strip.png", values=draw(902, 200, 30))
    paint("b/mask.png", values=np.eye(64, dtype=np.uint8) * 255)
    paint("b/white.png", values=np.maximum(draw(903) // 60 * 200, 250))
    Image.fromarray(draw(904)).save(folder / "b/really.png", "JPEG")
    Image.fromarray(draw(905)).convert("CMYK").save(folder / "b/cmyk.jpg")
    Image.fromarray(draw(906, colour=False).astype(np.uint16) * 200).save(folder / "b/deep.png")
    Image.fromarray(draw(907, 700, 900)).save(folder / "b/large.png")
    content = take(folder)
    assert files_of(content, "unreadable") == ["a/animation.gif", "a/cut.png", "a/empty.jpg", "a/page.jpg"]
    for code, file in {
        "constant": "b/one.png",
        "tiny": "b/small.png",
        "narrow": "b/strip.png",
        "mask": "b/mask.png",
        "wrong_suffix": "b/really.png",
        "other_file": "b/notes.txt",
        "odd_size": "b/large.png",
    }.items():
        assert file in files_of(content, code), code
    assert {"b/mask.png", "b/deep.png"} <= set(files_of(content, "odd_mode"))
    assert content["dataset"]["unreadable"] == 4
    assert (tmp_path / "out" / "fingerprint.html").exists()


def test_hostile_names(paint, take, tmp_path, files_of):
    evil = "<img src=x onerror=alert(1)>&'\"{{7*7}}"
    folder = paint(f"{evil}/1.png", f"{evil}/\x1b[31m\n.png", "b/2.png")
    raw = os.path.join(os.fsencode(folder), b"b", b"\xff\xfe.png")
    shutil.copy(folder / "b/2.png", raw)
    os.symlink("/etc/passwd", folder / "b/link.png")
    os.symlink("/", folder / "b/everything")
    content = take(folder)
    page = (tmp_path / "out" / "fingerprint.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "{{7*7}}" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert files_of(content, "unreadable") == ["b/link.png"]
    assert files_of(content, "outside_link") == ["b/link.png"]
    assert files_of(content, "linked_folder") == ["b/everything"]
    assert len(files_of(content, "odd_name")) == 2
    assert load_fingerprint(tmp_path / "out") == json.loads(json.dumps(content))


@pytest.mark.parametrize(
    "content",
    [None, "[]", "{", '{"schema": "other"}', '{"schema": "monai_medmamba.fingerprint", "schema_version": "2.0"}'],
)
def test_load_refuses(tmp_path, content):
    if content is not None:
        (tmp_path / "fingerprint.json").write_text(content)
    with pytest.raises(DatasetError, match="medmamba fingerprint again"):
        load_fingerprint(tmp_path)


def test_load_reads_what_was_written(paint, take, tmp_path):
    content = take(paint("a/1.png", "b/2.png"))
    assert load_fingerprint(tmp_path / "out" / "fingerprint.json") == content
    assert content["schema_version"] == SCHEMA_VERSION


def test_every_field_is_documented(paint, take):
    folder = paint(*(f"{s}/{c}/{i}.png" for s in ("train", "test") for c in "ab" for i in range(3)))
    content = take(folder)
    text = DOCUMENT.read_text(encoding="utf-8")
    fields = set(content)
    for part in ("dataset", "files", "sizes", "field_of_view", "labels", "patients", "duplicates", "modality"):
        fields |= set(content[part])
    fields |= set(content["intensity"][0]) | set(content["labels"]["imbalance"]) | set(content["labels"]["classes"][0])
    fields |= set(content["duplicates"]["near"]) | set(content["intensity"][0]["histogram"])
    missing = sorted(field for field in fields if not re.search(rf"[`.]{field}`", text))
    assert missing == []


def test_the_data_set_is_not_changed(paint, take):
    folder = paint("a/1.png", "b/2.png")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    take(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.real_data
def test_known_facts_of_real_sets(medmamba_data, take, files_of, tmp_path):
    busi = take(medmamba_data / "busi_256")
    assert {entry["name"]: entry["images"] for entry in busi["labels"]["classes"]} == {
        "benign": 437,
        "malignant": 210,
        "normal": 133,
    }
    assert busi["duplicates"]["exact"]["list"][0]["files"] == ["benign/benign_433.jpg", "malignant/malignant_145.jpg"]
    breast = fingerprint_dataset(medmamba_data / "medmnist" / "breastmnist.npz", tmp_path / "breast")
    assert breast["splits"] == {"training": 546, "validation": 78, "test": 156}
    assert breast["labels"]["imbalance"]["majority_share"] == pytest.approx(0.731, abs=5e-4)
