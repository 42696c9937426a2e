import json
import logging
import sys

import numpy as np
import pytest
import torch

from monai_medmamba.inference import load_onnx_classifier
from monai_medmamba.networks import MedMamba, save_weights

onnx = pytest.importorskip("onnx", reason="makes the files of these tests")
pytest.importorskip("onnxruntime", reason="runs the files of these tests")

NAMES = ["a", "b"]
KEPT = {"image_size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
DESCRIBED = {"monai_medmamba.class_names": json.dumps(NAMES), "monai_medmamba.preprocessing": json.dumps(KEPT)}
WEIGHT = np.float32([[1, -2], [3, 4], [-5, 6]])


def write_onnx(path, metadata=DESCRIBED, shape=("batch", 3, 32, 32)):
    """Write a linear classifier of each picture's mean colour."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (shape[0], 2))],
        [numpy_helper.from_array(WEIGHT, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_several_labels(tmp_path):
    kept = {**DESCRIBED, "monai_medmamba.several_labels": "true"}
    several = load_onnx_classifier(write_onnx(tmp_path / "a.onnx", kept), device="cpu")
    one = load_onnx_classifier(write_onnx(tmp_path / "b.onnx"), device="cpu")
    assert (several.several_labels, one.several_labels) == (True, False)
    batch = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(several(batch), several.logits(batch).sigmoid())


def save_toy_weights(path, names=NAMES):
    network = MedMamba(num_classes=len(names), depths=(1,), dims=(8,), d_state=2)
    save_weights(path, network, names, KEPT)
    return path


@pytest.mark.parametrize("shape", [("batch", 3, 32, 32), (1, 3, 32, 32), ("b", 3, "h", "w"), (None, 3, 32, None)])
def test_values(tmp_path, shape):
    classifier = load_onnx_classifier(write_onnx(tmp_path / "m.onnx", shape=shape), device="cpu", threads=1)
    batch = torch.randn(3, 3, 32, 32)
    expected = (batch.mean(dim=(2, 3)) @ torch.from_numpy(WEIGHT)).softmax(dim=1)
    torch.testing.assert_close(classifier(batch), expected)
    assert classifier.class_names == ("a", "b")
    assert classifier.preprocessing.describe() == KEPT


def test_a_temperature_in_the_metadata(tmp_path):
    kept = {**DESCRIBED, "monai_medmamba.calibration": json.dumps({"temperature": 2.0})}
    batch = torch.randn(3, 3, 32, 32)
    classifier = load_onnx_classifier(write_onnx(tmp_path / "m.onnx", kept), device="cpu", threads=1)
    expected = (batch.mean(dim=(2, 3)) @ torch.from_numpy(WEIGHT) / 2).softmax(dim=1)
    torch.testing.assert_close(classifier(batch), expected)


def test_a_temperature_from_the_weights_beside(tmp_path):
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2)
    save_weights(tmp_path / "m.safetensors", network, NAMES, KEPT, {"temperature": 3.0})
    assert load_onnx_classifier(write_onnx(tmp_path / "m.onnx", {}), device="cpu").temperature == 3


def test_classes_from_the_weights_that_are_named(tmp_path):
    path = write_onnx(tmp_path / "m.onnx", {})
    weights = save_toy_weights(tmp_path / "w.safetensors", ["x", "y"])
    assert load_onnx_classifier(path, weights).class_names == ("x", "y")


def test_classes_from_the_weights_beside_it(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="monai_medmamba")
    path = write_onnx(tmp_path / "m.onnx", {"monai_medmamba.class_names": json.dumps(NAMES)})
    save_toy_weights(tmp_path / "m.safetensors", ["x", "y"])
    assert load_onnx_classifier(path).class_names == ("x", "y")
    assert "m.safetensors" in caplog.text


def test_what_the_file_says_counts_more_than_what_lies_beside_it(tmp_path):
    path = write_onnx(tmp_path / "m.onnx")
    save_toy_weights(tmp_path / "m.safetensors", ["x", "y"])
    assert load_onnx_classifier(path).class_names == ("a", "b")
    assert load_onnx_classifier(path, save_toy_weights(tmp_path / "w.safetensors")).class_names == ("a", "b")
    with pytest.raises(ValueError, match=r"m\.safetensors name different classes"):
        load_onnx_classifier(path, tmp_path / "m.safetensors")


def test_nothing_tells_the_classes(tmp_path):
    path = write_onnx(tmp_path / "m.onnx", {})
    with pytest.raises(ValueError, match=r"does not tell its classes.*--weights.*medmamba export"):
        load_onnx_classifier(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"monai_medmamba.class_names": "a, b"}, "are no JSON"),
        ({"monai_medmamba.class_names": "3"}, "expected the class names"),
        ({"monai_medmamba.preprocessing": "{}"}, "lacks image_size, mean, std"),
        ({"monai_medmamba.preprocessing": json.dumps({**KEPT, "image_size": 64})}, r"images of \(3, 64, 64\)"),
    ],
)
def test_senseless_metadata_are_refused(tmp_path, changes, message):
    path = write_onnx(tmp_path / "m.onnx", DESCRIBED | changes)
    with pytest.raises(ValueError, match=rf"m\.onnx: .*{message}"):
        load_onnx_classifier(path)


@pytest.mark.parametrize("shape", [(4, 3, 32, 32), ("b", 3, 32, 64), ("b", 3, 32, 32, 32)])
def test_other_inputs_are_refused(tmp_path, shape):
    path = write_onnx(tmp_path / "m.onnx", shape=shape)
    with pytest.raises(ValueError, match=r"expected one input, images of \(3, 32, 32\)"):
        load_onnx_classifier(path)


def test_another_number_of_classes_is_refused(tmp_path):
    path = write_onnx(tmp_path / "m.onnx", DESCRIBED | {"monai_medmamba.class_names": '["a", "b", "c"]'})
    with pytest.raises(ValueError, match="one output for each of 3 classes"):
        load_onnx_classifier(path)(torch.zeros(1, 3, 32, 32))


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.onnx: write one with"):
        load_onnx_classifier(tmp_path / "missing.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"<html>")
    with pytest.raises(ValueError, match=r"broken\.onnx: ONNX Runtime cannot open it"):
        load_onnx_classifier(tmp_path / "broken.onnx")


def test_without_onnx_runtime(tmp_path, monkeypatch):
    path = write_onnx(tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match="pip install onnxruntime"):
        load_onnx_classifier(path)


def test_devices(tmp_path, monkeypatch):
    import onnxruntime

    path = write_onnx(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="auto, cpu or cuda"):
        load_onnx_classifier(path, device="tpu")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert load_onnx_classifier(path, device="auto").class_names == ("a", "b")
    with pytest.raises(ValueError, match=r"has no CUDA; pip install onnxruntime-gpu"):
        load_onnx_classifier(path, device="cuda")
