import json

import pytest
import torch

from monai_medmamba.cli import main
from monai_medmamba.data import build_datalist, endoscopy_phantoms
from monai_medmamba.networks import MedMamba, save_weights

KEPT = {"image_size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}


@pytest.fixture
def folder(tmp_path):
    return endoscopy_phantoms(tmp_path / "set", images_per_class=5, size=32)


@pytest.fixture
def words(folder, tmp_path):
    """The command, up to its options."""
    names = build_datalist(folder).class_names
    torch.manual_seed(0)
    network = MedMamba(num_classes=len(names), depths=(1,), dims=(8,))
    save_weights(tmp_path / "w.safetensors", network, list(names), KEPT)
    weights, out = str(tmp_path / "w.safetensors"), str(tmp_path / "out")
    return ["robustness", str(folder), "--weights", weights, "--out", out, "--device", "cpu"]


def test_a_folder(words, tmp_path, capsys):
    assert main([*words, "--corruptions", "noise", "jpeg"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("clean: 0.")
    assert [line.split(":")[0] for line in lines[1:3]] == ["noise", "jpeg"]
    assert lines[3] == str(tmp_path / "out" / "robustness.html")
    content = json.loads((tmp_path / "out" / "robustness.json").read_text("utf-8"))
    assert (content["dataset"], content["split"], content["images"]) == ("set", "test", 8)


def test_a_data_list(words, folder, tmp_path, capsys):
    build_datalist(folder, seed=4).save(tmp_path / "datalist.json")
    words[1] = str(tmp_path / "datalist.json")
    assert main([*words, "--corruptions", "blur", "--split", "validation", "--quiet"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / "robustness.html")]
    content = json.loads((tmp_path / "out" / "robustness.json").read_text("utf-8"))
    assert (content["dataset"], content["split"]) == ("set", "validation")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--corruptions", "fog"], "expected some of the corruptions noise, blur"),
        (["--weights", "missing.pt"], "no weights at missing.pt"),
        (["--batch-size", "0"], "expected --batch-size of 1 or more"),
    ],
)
def test_wrong_usage(words, capsys, more, message):
    assert main([*words, *more]) == 1
    assert message in capsys.readouterr().err


def test_no_such_folder(words, capsys):
    words[1] = "no/such/folder"
    assert main(words) == 1
    assert "no/such/folder" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["robustness", "--help"])
    assert "medmamba robustness data/ --weights model.safetensors" in capsys.readouterr().out
