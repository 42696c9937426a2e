import itertools

import pytest
import torch
from torch import nn

from monai_medmamba.ops import cross_selective_scan
from monai_medmamba.ops.cross_selective_scan.onnx_scan import chunk_count
from testing.scans import rms, scan_inputs

onnx = pytest.importorskip("onnx", reason="reads the files of these tests")
pytest.importorskip("onnxscript", reason="torch.onnx.export writes with it")
onnxruntime = pytest.importorskip("onnxruntime", reason="runs the files of these tests")


NAMES = ("x", "x_dbl", "dt_weight", "dt_bias", "A", "D")


class Scan(nn.Module):
    """The operation, its parameters among the inputs."""

    def forward(self, x, x_dbl, dt_weight, dt_bias, A, D):
        return cross_selective_scan(x, x_dbl, dt_weight, dt_bias, A, D)


def exported(tensors, path):
    """Write the operation for any batch and any space; return what runs it, and how many Scan nodes it has."""
    free = dict.fromkeys(range(tensors[0].dim() - 1), torch.export.Dim.DYNAMIC)
    torch.onnx.export(
        Scan(),
        tuple(tensors),
        path,
        input_names=NAMES,
        dynamic_shapes=(free, free, None, None, None, None),
        dynamo=True,
        verbose=False,
        external_data=False,
    )
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain for entry in model.opset_import} == {""}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(*tensors):
        inputs = {name: tensor.numpy() for name, tensor in zip(NAMES, tensors, strict=True)}
        return torch.from_numpy(session.run(None, inputs)[0])

    return run, sum(node.op_type == "Scan" for node in model.graph.node)


# Few channels are scanned in chunks; with many a step takes one token.
CASES = [((7, 9), 20, 3), ((7, 9), 260, 1), ((3, 4, 5), 20, 3)]


@pytest.mark.parametrize(("space", "channels", "scans"), CASES, ids=str)
def test_matches_reference(space, channels, scans, tmp_path):
    """Traced once, right at every size: one token, fewer tokens than chunks, many; with slow and fast decay."""
    sizes = {"channels": channels, "states": 16}
    run, found = exported(scan_inputs(space, **sizes), tmp_path / "m.onnx")
    assert found == scans
    spaces = ((space, 1), ((1,) * len(space), 2), ((14, 9, 2)[: len(space)], 3))
    for (other, batch), decay in itertools.product(spaces, ("mixed", "slow", "fast")):
        tensors = scan_inputs(other, batch=batch, decay=decay, **sizes)
        exact = cross_selective_scan(*(tensor.double() for tensor in tensors), backend="reference")
        own = cross_selective_scan(*tensors, backend="reference")
        floor = torch.finfo(torch.float32).eps * rms(exact)
        assert rms(run(*tensors).double() - exact) <= 3 * max(rms(own.double() - exact), floor), (other, decay)


@pytest.mark.parametrize(("channels", "chunks"), [(96, 28), (192, 14), (384, 1), (768, 1), (1, 2688)])
def test_chunks_follow_from_channels_and_states(channels, chunks):
    assert chunk_count(torch.zeros(4, channels, 16)) == chunks


def test_tells_the_old_exporter_s_user_what_to_do(tmp_path):
    tensors = scan_inputs((3, 4))
    with pytest.raises(RuntimeError, match="leave dynamo=False out"):
        torch.onnx.export(Scan(), tuple(tensors), tmp_path / "m.onnx", dynamo=False)
