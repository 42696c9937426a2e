import pytest
import torch
from torch import nn

from monai_medmamba.ops import cross_selective_scan
from monai_medmamba.ops.cross_selective_scan.onnx_scan import chunk_count
from testing.scans import rms, scan_inputs

onnx = pytest.importorskip("onnx", reason="reads the files of these tests")
pytest.importorskip("onnxscript", reason="torch.onnx.export writes with it")
onnxruntime = pytest.importorskip("onnxruntime", reason="runs the files of these tests")


class Scan(nn.Module):
    """The operation with its parameters fixed, as a network has it."""

    def __init__(self, parameters):
        super().__init__()
        for name, tensor in zip(("dt_weight", "dt_bias", "A", "D"), parameters, strict=True):
            self.register_buffer(name, tensor)

    def forward(self, x, x_dbl):
        return cross_selective_scan(x, x_dbl, self.dt_weight, self.dt_bias, self.A, self.D)


def exported(tensors, path):
    """Write the operation for any batch and any space, and return what runs it."""
    spatial = tensors[0].dim() - 2
    free = {axis: f"axis{axis}" for axis in range(spatial + 1)}
    torch.onnx.export(
        Scan(tensors[2:]),
        tuple(tensors[:2]),
        path,
        input_names=["x", "x_dbl"],
        dynamic_shapes=(free, free),
        dynamo=True,
        verbose=False,
        external_data=False,
    )
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain for entry in model.opset_import} == {""}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda x, x_dbl: torch.from_numpy(session.run(None, {"x": x.numpy(), "x_dbl": x_dbl.numpy()})[0]), model


# Few channels are scanned in chunks; with many a step takes one token.
CASES = [((7, 9), 20, 16), ((7, 9), 260, 16), ((3, 4, 5), 20, 16)]


@pytest.mark.parametrize(("space", "channels", "states"), CASES, ids=str)
def test_matches_reference(space, channels, states, tmp_path):
    """Traced once, right at every size: one token, fewer tokens than chunks, many; with slow and fast decay."""
    tensors = scan_inputs(space, channels=channels, states=states)
    run, model = exported(tensors, tmp_path / "m.onnx")
    chunked = chunk_count(tensors[4]) > 1
    assert sum(node.op_type == "Scan" for node in model.graph.node) == (3 if chunked else 1)
    for other, batch in ((space, 1), ((1,) * len(space), 2), ((14, 9, 2)[: len(space)], 3)):
        x, x_dbl, *_ = scan_inputs(other, batch=batch, channels=channels, states=states)
        exact = cross_selective_scan(*(t.double() for t in (x, x_dbl, *tensors[2:])), backend="reference")
        own = cross_selective_scan(x, x_dbl, *tensors[2:], backend="reference")
        floor = torch.finfo(torch.float32).eps * rms(exact)
        assert rms(run(x, x_dbl).double() - exact) <= 3 * max(rms(own.double() - exact), floor)


@pytest.mark.parametrize("decay", ["slow", "fast"])
def test_extreme_decay(decay, tmp_path):
    tensors = scan_inputs((14, 9), channels=20, states=16, decay=decay)
    run, _model = exported(tensors, tmp_path / "m.onnx")
    exact = cross_selective_scan(*(t.double() for t in tensors), backend="reference")
    own = cross_selective_scan(*tensors, backend="reference")
    floor = torch.finfo(torch.float32).eps * rms(exact)
    assert rms(run(*tensors[:2]).double() - exact) <= 3 * max(rms(own.double() - exact), floor)


@pytest.mark.parametrize(("channels", "chunks"), [(96, 28), (192, 14), (384, 1), (768, 1), (1, 2688)])
def test_chunks_follow_from_channels_and_states(channels, chunks):
    assert chunk_count(torch.zeros(4, channels, 16)) == chunks


def test_tells_the_old_exporter_s_user_what_to_do(tmp_path):
    tensors = scan_inputs((3, 4))
    with pytest.raises(RuntimeError, match="leave dynamo=False out"):
        torch.onnx.export(Scan(tensors[2:]), tuple(tensors[:2]), tmp_path / "m.onnx", dynamo=False)
