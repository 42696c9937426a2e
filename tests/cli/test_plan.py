"""``medmamba plan``."""

import json

import numpy as np
import pytest
from monai.bundle import ConfigParser

from monai_medmamba.bundle import prepare_data
from monai_medmamba.cli import main
from monai_medmamba.data import layout_phantoms
from testing.bundles import class_folders, monai_bundle
from testing.dicom_series import write_series


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return class_folders(tmp_path / "cases", ["ill", "well"], 10)


def test_a_bundle_that_trains_as_it_is(images, tmp_path, capsys):
    assert main(["plan", "cases", "--out", "bundles/cases", "--image-size", "32", "--epochs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "augmentation" in shown
    assert "bundles/cases/configs/train.json" in shown
    done = monai_bundle("run", "training", "--config_file", "bundles/cases/configs/train.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bundles" / "cases" / "models" / "model.pt").is_file()
    done = monai_bundle(
        *("run", "evaluating", "--config_file"),
        "['bundles/cases/configs/train.json','bundles/cases/configs/evaluate.json']",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bundles" / "cases" / "output" / "report.html").is_file()


def test_volumes(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
    pytest.importorskip("nibabel", reason="volumes are turned by nibabel")
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0)
    for level, label in enumerate(("thin", "dense")):
        for i in range(10):
            write_series(
                *(tmp_path / "ct" / label / f"case{i}", range(0, 24, 3)),
                **{"uid": f"1.2.{level}.{i}", "PatientID": f"{label}{i // 2}"},
                value=lambda points, level=level: noise.normal(900 * level - 900, 20, points.shape[:-1]),
            )
    assert main(["plan", "ct", "--out", "b", "--volume-size", "32", "32", "16", "--epochs", "1"]) == 0
    assert "A step takes 1.0 of 16 GiB" in " ".join(capsys.readouterr().out.split())
    decided = {
        d["name"]: d["value"] for d in json.loads((tmp_path / "b" / "configs" / "plan.json").read_text())["decisions"]
    }
    assert decided["split"] == "by patient"
    assert decided["patch_size"]["cpu"] == [4, 4, 2]
    assert decided["intensity_range"][0] < -900
    assert decided["augmentation"]["flip_prob"] == 0
    configs = [f"b/configs/{name}.json" for name in ("train", "evaluate", "inference")]
    for words in (
        ["training", "--config_file", configs[0]],
        ["evaluating", "--config_file", str(configs[:2])],
        ["inferring", "--config_file", configs[2], "--dataset_dir", "ct"],
    ):
        done = monai_bundle("run", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    output = tmp_path / "b" / "output"
    assert (output / "report.json").is_file()
    assert len((output / "inference" / "predictions.csv").read_text().splitlines()) == 21
    written = "".join(
        file.read_text() for pattern in ("*.json", "*.html", "*.csv", "*.md") for file in output.rglob(pattern)
    )
    assert "dense0" not in written  # PatientIDs


def test_flags_decide(images, tmp_path):
    words = ["--set", "weight_decay=0.01", "--modality", "radiography", "--budget", "30m", "--variant", "small"]
    assert main(["plan", "cases", "--out", "b", "--quiet", *words]) == 0
    train = json.loads((tmp_path / "b" / "configs" / "train.json").read_text())
    assert train["weight_decay"] == 0.01
    assert train["variant"] == "small"
    assert train["train"]["random_transforms"][0]["augment"]["mirror_prob"] == 0
    plan = json.loads((tmp_path / "b" / "configs" / "plan.json").read_text())
    assert {d["name"] for d in plan["decisions"] if d["by"] == "flag"} == {"weight_decay", "variant"}


def test_one_of_our_own(tmp_path):
    assert main(["plan", "--task", "medmamba_xray", "--out", str(tmp_path / "x"), "--quiet"]) == 0
    assert (tmp_path / "x" / "docs" / "README.md").read_text().startswith("# MedMamba chest X-ray")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "b"], "name either DATA or"),
        (["cases", "--out", "b", "--set", "epoch=3"], "no decisions are called epoch"),
        (["cases", "--out", "b", "--gpu-memory", "0.2GB"], "--image-size"),
        (["nothing", "--out", "b"], "nothing there"),
        (["--task", "no", "--out", "b"], "medmamba_endo"),
    ],
)
def test_errors_name_the_cure(images, words, message, capsys):
    assert main(["plan", *words]) == 1
    assert message in capsys.readouterr().err


def test_words_that_make_no_sense(images, capsys):
    with pytest.raises(SystemExit):
        main(["plan", "cases", "--out", "b", "--budget", "soon"])
    assert "2h or 30m" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("layout", "words", "split"),
    [
        (
            "fetal_planes_db",
            "--csv FETAL_PLANES_DB_data.csv --path-form Images/{}.png --split-name 1=training --split-name 0=test "
            "--column path=Image_name --column label=Plane --column patient=Patient_num",
            "given",
        ),
        (
            "pad_ufes_20",
            "--csv metadata.csv --path-form **/{} --column path=img_id --column label=diagnostic "
            "--column patient=patient_id",
            "by patient",
        ),
    ],
)
def test_tables_as_they_are_published(layout, words, split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = layout_phantoms(["a", "b"], layout, tmp_path / "set", images_per_class=12, size=32)
    more = ["--column", "split=Train "] if split == "given" else []
    assert main(["plan", str(folder), "--out", "b", "--quiet", *words.split(), *more]) == 0
    plan = json.loads((tmp_path / "b" / "configs" / "plan.json").read_text())
    assert next(d["value"] for d in plan["decisions"] if d["name"] == "split") == split
    train = json.loads((tmp_path / "b" / "configs" / "train.json").read_text())
    assert prepare_data(train["dataset_dir"], 0, train["layout"]).class_names == ("a", "b")


@pytest.mark.real_data
def test_a_medmnist_file_with_one_picture_under_two_labels(medmamba_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", str(medmamba_data / "medmnist" / "breastmnist.npz"), "--out", "b", "--quiet"]) == 0
    parser = ConfigParser(globals=False)
    parser.read_config("b/configs/train.json")
    counts = {split: sum(count.values()) for split, count in parser.get_parsed_content("data").counts().items()}
    assert counts == {"training": 545, "validation": 78, "test": 156}
