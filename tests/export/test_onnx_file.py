import logging
import sys

import pytest
import torch

from monai_medmamba.export import onnx_file
from monai_medmamba.export.onnx_file import FORMAT, nodes

onnx = pytest.importorskip("onnx", reason="reads the files of these tests")
pytest.importorskip("onnxscript", reason="torch.onnx.export writes with it")
pytest.importorskip("onnxruntime", reason="runs the files of these tests")

SAYS_A_PATH = ("/torch/", "/monai", ".py")


def test_exports(network, tmp_path):
    FORMAT.write(network.fuse(), tmp_path / "m.onnx", torch.randn(2, 3, 40, 36), False, {"k": "kept"})
    model = onnx.load(tmp_path / "m.onnx")
    found = list(nodes(model.graph))
    assert {node.domain for node in found} | {entry.domain for entry in model.opset_import} == {""}
    assert len(model.functions) == 0
    assert len(found) < 400
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("k", "kept")]
    # Nothing of the machine that wrote it.
    graph = model.graph
    graph.ClearField("initializer")
    assert not [word for word in SAYS_A_PATH if word in str(model)]
    shape = graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in shape] == ["batch", 3, 40, 36]
    run = FORMAT.load(tmp_path / "m.onnx")
    for batch in (1, 3):
        images = torch.randn(batch, 3, 40, 36)
        torch.testing.assert_close(run(images), network(images).detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_exports_any_size(either, tmp_path):
    edges = (36, 40, 33)[: either.spatial_dims]
    FORMAT.write(either.fuse(), tmp_path / "m.onnx", torch.randn(2, either.in_channels, *edges), True, {})
    run = FORMAT.load(tmp_path / "m.onnx")
    for batch, more in ((1, 0), (3, 7)):
        images = torch.randn(batch, either.in_channels, *(edge + more for edge in edges))
        torch.testing.assert_close(run(images), either(images).detach(), atol=1e-5, rtol=1e-4)


def test_leaves_the_loggers_as_they_were():
    logging.getLogger("onnxscript").setLevel(logging.INFO)
    with onnx_file._quiet():
        assert logging.getLogger("onnxscript").level == logging.ERROR
    assert logging.getLogger("onnxscript").level == logging.INFO
    logging.getLogger("onnxscript").setLevel(logging.NOTSET)


def test_says_what_to_install(network, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None if name == "onnxscript" else sys)
    with pytest.raises(ValueError, match=r"onnxscript, not installed here: pip install 'monai-medmamba\[onnx\]'"):
        FORMAT.write(network.fuse(), tmp_path / "m.onnx", torch.randn(2, 3, 40, 36), False, {})
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    assert FORMAT.load(tmp_path / "m.onnx") is None
