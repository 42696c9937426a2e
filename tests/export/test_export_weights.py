import json
from dataclasses import replace

import pytest
import torch

from monai_medmamba.export import FORMATS, export_weights
from monai_medmamba.export import export_weights as module_function
from monai_medmamba.inference import Preprocessing
from monai_medmamba.networks import load_weights, save_weights

KEPT = {"image_size": 40, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
MODULE = __import__("sys").modules[module_function.__module__]
TORCHSCRIPT = next(kind for kind in FORMATS if kind.name == "torchscript")


def test_exports(weights, network, tmp_path):
    found = export_weights(weights, tmp_path / "m.ts", "torchscript")
    assert found.path == tmp_path / "m.ts"
    assert found.bytes == found.path.stat().st_size
    assert found.input_shape == ("batch", 3, "height", "width")
    assert found.probability_off is not None
    assert found.probability_off < 1e-5
    kept = {"monai_medmamba.class_names": "", "monai_medmamba.preprocessing": ""}
    run = torch.jit.load(str(found.path), _extra_files=kept)
    assert json.loads(kept["monai_medmamba.class_names"]) == ["a", "b", "c"]
    assert json.loads(kept["monai_medmamba.preprocessing"])["image_size"] == 40
    images = torch.randn(2, 3, 40, 40)
    with torch.no_grad():
        torch.testing.assert_close(run(images), network(images), atol=1e-5, rtol=1e-4)


def test_the_file_keeps_the_temperature(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["a", "b", "c"], {}, {"temperature": 1.5})
    kept = MODULE._texts(load_weights(tmp_path / "w.safetensors")[1])
    assert kept["monai_medmamba.calibration"] == '{"temperature": 1.5}'


def test_the_file_says_that_labels_are_several(network, tmp_path):
    for several in (True, False):
        save_weights(tmp_path / "w.safetensors", network, ["a", "b", "c"], {}, several_labels=several)
        kept = MODULE._texts(load_weights(tmp_path / "w.safetensors")[1])
        assert kept.get("monai_medmamba.several_labels") == ("true" if several else None)


def test_a_program_for_the_size_of_the_training(weights, tmp_path):
    found = export_weights(weights, tmp_path / "m.pt2", "torch_export")
    assert found.input_shape == ("batch", 3, 40, 40)
    assert "import monai_medmamba.ops" in found.remark


@pytest.mark.parametrize(
    ("out", "arguments", "message"),
    [
        ("m.onnx", {"format": "tflite"}, "expected format onnx, torchscript, torch_export, aotinductor, got 'tflite'"),
        ("m.pt", {"format": "onnx"}, r"m\.pt: expected a file ending in \.onnx"),
        ("m.onnx", {"format": "onnx", "backend": "cpu"}, "only TorchScript offers a choice"),
        ("m.ts", {"format": "torchscript", "size": [16]}, "each at least 32"),
        ("m.ts", {"format": "torchscript", "size": [32, 32, 32]}, "1 or 2 edges"),
    ],
    ids=str,
)
def test_invalid_arguments(weights, tmp_path, out, arguments, message):
    with pytest.raises(ValueError, match=message):
        export_weights(weights, tmp_path / out, **arguments)
    assert not (tmp_path / out).exists()


def test_weights_that_do_not_say_their_size(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["a", "b", "c"], {})
    with pytest.raises(ValueError, match=r"w\.safetensors: it does not say its size; name it, as in --size"):
        export_weights(tmp_path / "w.safetensors", tmp_path / "m.ts", "torchscript")


def test_volumes_of_the_size_of_the_training(volume_network, tmp_path):
    kept = {"volume_size": [32, 32, 16], "spacing": [1, 1, 2], "intensity_range": None, "mean": [0.5], "std": [0.25]}
    save_weights(tmp_path / "w.safetensors", volume_network, ["a", "b", "c"], kept)
    found = export_weights(tmp_path / "w.safetensors", tmp_path / "m.pt2", "torch_export")
    assert found.input_shape == ("batch", 1, 32, 32, 16)
    content = MODULE._texts(load_weights(tmp_path / "w.safetensors")[1])
    assert json.loads(content["monai_medmamba.preprocessing"]) == kept


@pytest.mark.parametrize("fault", [lambda y: y * (1 + 1e-3), lambda y: y.roll(1, 0), lambda y: y * float("nan")])
def test_a_file_that_computes_something_else_is_not_kept(weights, tmp_path, monkeypatch, fault):
    (tmp_path / "m.ts").write_text("what was there before")

    def load(path):
        run = TORCHSCRIPT.load(path)
        return lambda images: fault(run(images))

    monkeypatch.setattr(MODULE, "FORMATS", (replace(TORCHSCRIPT, load=load),))
    with pytest.raises(RuntimeError, match=r"m\.ts was not written: it computes something else"):
        export_weights(weights, tmp_path / "m.ts", "torchscript")
    assert (tmp_path / "m.ts").read_text() == "what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.ts", "w.safetensors"]


def test_says_that_nothing_was_compared(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "FORMATS", (replace(TORCHSCRIPT, load=lambda path: None),))
    assert export_weights(weights, tmp_path / "m.ts", "torchscript").probability_off is None


def quick_or_slow(kind):
    return pytest.param(kind.name, marks=[pytest.mark.slow] if kind.name == "aotinductor" else [])


@pytest.mark.real_data
@pytest.mark.parametrize("name", [quick_or_slow(kind) for kind in FORMATS])
def test_real_images(name, weights, network, medmamba_data, tmp_path):
    """Probabilities of real images, one at a time and together, within 1e-4 of PyTorch's."""
    if name == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package, reason="writes or runs ONNX files")
    kind = next(kind for kind in FORMATS if kind.name == name)
    export_weights(weights, tmp_path / f"m{kind.suffix}", name)
    folder = medmamba_data / "kvasir_seg_patches" / "test"
    prepare = Preprocessing.from_description(KEPT)
    paths = [path for label in sorted(folder.iterdir()) for path in sorted(label.iterdir())[:6]]
    images = torch.stack([prepare.read(path) for path in paths])
    run = kind.load(tmp_path / f"m{kind.suffix}")
    with torch.no_grad():
        expected = network(images).softmax(1)
        together = run(images).softmax(1)
        single = torch.cat([run(image[None]) for image in images]).softmax(1)
    assert expected.std(0).max() > 0.02  # the network tells the images apart
    assert max((together - expected).abs().max(), (single - expected).abs().max()) < 1e-4
