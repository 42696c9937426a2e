"""The command: what it makes of its words. The trainings behind it are tested in tests/federated."""

import csv
import json
from pathlib import Path

import pytest

from monai_medmamba.cli import main
from testing.bundles import ROOT, class_folders

BUNDLE = str(ROOT / "bundles" / "medmamba_endo")


@pytest.fixture
def called(monkeypatch):
    """What the command asks the room to do, without doing it."""
    calls = []

    def stand_in(bundle, sites, out, **length):
        calls.append({"bundle": str(bundle), "sites": dict(sites), "out": Path(out), **length})
        if stand_in.rows:
            return [{"training": "federated", "steps": 3, "accuracy": 0.5}]
        return type("Done", (), {"weights": Path(out) / "model.safetensors"})

    stand_in.rows = False
    monkeypatch.setattr("monai_medmamba.federated.rehearse", stand_in)
    monkeypatch.setattr("monai_medmamba.federated.compare_trainings", stand_in)
    calls_and_kind = (calls, stand_in)
    return calls_and_kind


def test_sites_and_settings(called, tmp_path, capsys):
    calls, _ = called
    words = ["--site", f"north={tmp_path}/a", "--site", f"south={tmp_path}/b", "--out", f"{tmp_path}/out"]
    assert main(["federate", "--bundle", BUNDLE, *words, "--rounds", "4", "--set", "batch_size=8", "--set", "x=y"]) == 0
    (call,) = calls
    assert call["sites"] == {"north": tmp_path / "a", "south": tmp_path / "b"}
    assert (call["rounds"], call["local_epochs"]) == (4, 2)
    assert call["settings"] == {"variant": "nano", "image_size": 64, "batch_size": 8, "x": "y"}
    assert f"{tmp_path}/out/model.safetensors" in capsys.readouterr().out


def test_parts_a_data_set(called, tmp_path):
    calls, _ = called
    images = class_folders(tmp_path / "set", ["a", "b"], count=30)
    words = ["--data", str(images), "--out", f"{tmp_path}/out", "--share", "0.7"]
    assert main(["federate", "--bundle", BUNDLE, *words]) == 0
    assert list(calls[0]["sites"]) == ["hospital_1", "hospital_2"]
    assert len(list((tmp_path / "out" / "data").rglob("*.png"))) == 60
    assert calls[0]["settings"]["layout"] == {}


def test_comparison(called, tmp_path, capsys):
    _, stand_in = called
    stand_in.rows = True
    (tmp_path / "out").mkdir()
    words = ["--site", "a=x", "--site", "b=y", "--out", f"{tmp_path}/out", "--compare"]
    assert main(["federate", "--bundle", BUNDLE, *words]) == 0
    with (tmp_path / "out" / "comparison.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == [{"training": "federated", "steps": "3", "accuracy": "0.5"}]
    assert "0.500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--site", "north"], "expected --site NAME=DATASET"),
        (["--site", "a=x", "--site", "a=y"], "each name once"),
        (["--site", "a=x", "--set", "batch_size"], "expected --set KEY=VALUE"),
    ],
)
def test_wrong_words(called, tmp_path, capsys, words, message):
    assert main(["federate", "--bundle", BUNDLE, "--out", f"{tmp_path}/out", *words]) == 1
    assert message in capsys.readouterr().err
    assert called[0] == []


def test_a_full_folder_is_left_alone(called, tmp_path, capsys):
    (tmp_path / "kept").touch()
    assert main(["federate", "--bundle", BUNDLE, "--out", str(tmp_path), "--site", "a=x"]) == 1
    assert "expected an empty or new folder" in capsys.readouterr().err


def test_writes_a_job(tmp_path, capsys):
    words = ["--flare-job", f"{tmp_path}/endo", "--rounds", "5", "--hospitals", "4", "--classes", "a,b"]
    assert main(["federate", "--bundle", BUNDLE, *words, "--set", "batch_size=8"]) == 0
    client = json.loads((tmp_path / "endo" / "endo_app" / "config" / "config_fed_client.json").read_text())
    hospital = client["components"][0]["args"]
    assert (hospital["rounds"], hospital["class_names"]) == (5, ["a", "b"])
    assert hospital["settings"] == {"variant": "nano", "image_size": 64, "batch_size": 8}
    assert json.loads((tmp_path / "endo" / "meta.json").read_text())["min_clients"] == 4
    assert "MEDMAMBA_SITE_DATA" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--out", "a", "--flare-job", "b"]])
def test_rehearses_or_writes_a_job(capsys, words):
    assert main(["federate", "--bundle", BUNDLE, *words]) == 1
    assert "expected one of --out" in capsys.readouterr().err


@pytest.mark.slow
def test_really(tmp_path, capsys):
    images = class_folders(tmp_path / "set", ["a", "b"], count=40)
    words = ["--data", str(images), "--out", f"{tmp_path}/out", "--image-size", "32", "--rounds", "1"]
    assert main(["federate", "--bundle", BUNDLE, *words, "--local-epochs", "1", "--set", "batch_size=8"]) == 0
    for hospital in ("hospital_1", "hospital_2"):
        assert (tmp_path / "out" / hospital / "exchanged.csv").is_file()
    assert (tmp_path / "out" / "model.safetensors").is_file()
