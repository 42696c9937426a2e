import pytest
import torch

from monai_medmamba.cli import main
from monai_medmamba.export import FORMATS
from monai_medmamba.networks import MedMamba, save_weights


@pytest.fixture
def weights(tmp_path):
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2)
    kept = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], kept)
    return tmp_path / "w.safetensors"


def test_writes_and_says_what(weights, tmp_path, capsys):
    assert main(["export", str(weights), "--format", "torchscript", "--out", str(tmp_path / "m.ts")]) == 0
    said = capsys.readouterr().out
    assert "m.ts: torchscript, " in said
    assert "images (batch, 3, height, width)" in said
    assert "probabilities within " in said
    with torch.no_grad():
        assert torch.jit.load(str(tmp_path / "m.ts"))(torch.randn(3, 3, 40, 50)).shape == (3, 2)


def test_an_onnx_file_that_predict_takes(weights, tmp_path, capsys):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="writes or runs ONNX files")
    from PIL import Image

    Image.new("RGB", (40, 50), (200, 30, 40)).save(tmp_path / "red.png")
    assert main(["export", str(weights), "--out", str(tmp_path / "m.onnx")]) == 0
    assert " nodes, opset " in capsys.readouterr().out
    assert main(["predict", str(tmp_path / "red.png"), "--onnx", str(tmp_path / "m.onnx")]) == 0
    by_onnx = capsys.readouterr().out.splitlines()[1]
    assert main(["predict", str(tmp_path / "red.png"), "--weights", str(weights)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == by_onnx


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.pt", "--out", "m.onnx"], "no weights at missing.pt"),
        (["WEIGHTS", "--out", "m.ts"], r"m.ts: expected a file ending in .onnx"),
        (["WEIGHTS", "--out", "m.onnx", "--size", "8"], "each at least 32"),
        (["WEIGHTS", "--out", "m.onnx", "--backend", "cpu"], "only TorchScript offers a choice"),
    ],
    ids=str,
)
def test_explains_and_leaves_with_1(words, message, weights, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *(str(weights) if word == "WEIGHTS" else word for word in words)]) == 1
    assert message in capsys.readouterr().err


def test_the_help_shows_commands_to_copy(capsys):
    with pytest.raises(SystemExit) as left:
        main(["export", "--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert "medmamba export model.safetensors --format onnx --out model.onnx" in said
    assert "exit status" in said
    assert "{" + ",".join(kind.name for kind in FORMATS) + "}" in said
