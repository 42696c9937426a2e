import json

import numpy as np
import pytest
import torch
from PIL import Image

from monai_medmamba.cli import main
from monai_medmamba.cli.explain import METHODS
from monai_medmamba.explain import methods
from monai_medmamba.networks import MedMamba, save_weights

KEPT = {"image_size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}


@pytest.fixture
def words(tmp_path):
    """The command for one picture, up to its options."""
    torch.manual_seed(0)
    save_weights(tmp_path / "w.safetensors", MedMamba(num_classes=2, depths=(1,), dims=(8,)), ["a", "b"], KEPT)
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "images" / "1.png")
    weights, out = str(tmp_path / "w.safetensors"), str(tmp_path / "out")
    return ["explain", str(tmp_path / "images"), "--weights", weights, "--device", "cpu", "--out", out]


def test_a_folder(words, tmp_path, capsys):
    assert main([*words, "--class", "b"]) == 0
    shown = capsys.readouterr()
    assert "1.png: b 0." in shown.out
    assert "1 images explained in" in shown.out
    names = {"explanations.json", "0001-1-scan.png", "0001-1-directions.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert shown.err == ""


def test_all_methods(words, tmp_path):
    assert methods.METHODS == METHODS  # spelled out where importing costs nothing
    assert main([*words, "--method", "all", "--areas", "--quiet"]) == 0
    content = json.loads((tmp_path / "out" / "explanations.json").read_text("utf-8"))
    assert list(content["explanations"][0]["areas"]) == list(METHODS)


def test_one_bad_file_never_stops_the_rest(words, tmp_path, capsys):
    (tmp_path / "images" / "0.png").write_bytes(b"")
    assert main([words[0], "gone.png", *words[1:], "--quiet"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[0] == "2 of 3 could not be explained:"
    assert "0.png: the file is empty" in shown.err
    assert (tmp_path / "out" / "0001-1-scan.png").is_file()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--class", "c"], "expected one of its classes a, b, got 'c'"),
        (["--method", "scan", "--stage", "1"], "expected a stage from 0 to 0, got 1"),
        (["--window", "40", "0"], "a width of 1 or more, got 0"),
        (["--weights", "missing.pt"], "no weights at missing.pt"),
    ],
)
def test_wrong_usage(words, capsys, more, message):
    assert main([*words, *more]) == 1
    assert message in capsys.readouterr().err


def test_nothing_to_do(words, tmp_path, capsys):
    (tmp_path / "images" / "1.png").unlink()
    assert main(words) == 1
    assert "no image to explain\n" in capsys.readouterr().err


def test_wrong_words(words, capsys):
    with pytest.raises(SystemExit, match="1"):
        main([*words, "--method", "saliency"])
    assert "argument --method: " in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["explain", "--help"])
    shown = capsys.readouterr().out
    assert "medmamba explain scan.png --weights model.safetensors" in shown
    assert "exit status: 0 all images explained" in shown
    assert all(f"  {method} " in shown for method in METHODS)
