import pytest
import torch
import torch.nn.functional as F

from monai_medmamba.ops import cross_selective_scan
from monai_medmamba.ops.cross_selective_scan.projections import expand
from monai_medmamba.ops.cross_selective_scan.torchscript_scan import scan_sequences
from testing.scans import ENOUGH, rms, scan_inputs


def traced(tensors):
    return torch.jit.trace(lambda *t: cross_selective_scan(*t, backend="chunked"), tensors, check_trace=False)


def assert_close_to_reference(found, tensors):
    exact = cross_selective_scan(*(t.double() for t in tensors), backend="reference")
    own = cross_selective_scan(*tensors, backend="reference")
    floor = torch.finfo(own.dtype).eps * rms(exact)
    assert found.dtype == own.dtype
    assert rms(found.double() - exact) <= 3 * max(rms(own.double() - exact), floor)


@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("decay", ["slow", "fast", "mixed"])
def test_matches_reference(spatial_dims, decay):
    """Traced once, right at every size and batch."""
    run = traced(scan_inputs((4, 6, 5)[:spatial_dims], decay=decay, **ENOUGH))
    assert "monai_medmamba::" not in str(run.inlined_graph)
    for batch, space in ((1, (1, 1, 1)), (3, (14, 9, 2))):
        tensors = scan_inputs(space[:spatial_dims], batch=batch, decay=decay, **ENOUGH)
        assert_close_to_reference(run(*tensors), tensors)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_keeps_the_dtype(dtype):
    tensors = scan_inputs((5, 7), dtype=dtype, **ENOUGH)
    assert_close_to_reference(traced(tensors)(*tensors), tensors)


@pytest.mark.parametrize("step_elements", [1, 2000, 1 << 30])
def test_every_number_of_chunks_gives_the_same(step_elements):
    x, x_dbl, dt_weight, dt_bias, A, _D = scan_inputs((11, 13), dtype=torch.float64)
    u, delta, B, C, _r = expand(x, x_dbl, dt_weight, A.shape[-1])
    dt = F.softplus(delta + dt_bias.unsqueeze(1))
    expected = scan_sequences(dt, dt * u, B, C, A, 1)
    torch.testing.assert_close(scan_sequences(dt, dt * u, B, C, A, step_elements), expected)


def test_another_backend_is_a_call_of_the_operator():
    tensors = scan_inputs((4, 6))
    run = torch.jit.trace(lambda *t: cross_selective_scan(*t, backend="reference"), tensors, check_trace=False)
    assert str(run.inlined_graph).count("monai_medmamba::cross_selective_scan") == 1


def test_gradients_flow():
    """A traced network that somebody trains on must not lose the scan's part in silence."""
    tensors = scan_inputs((5, 7), dtype=torch.float64)
    run = traced(tensors)
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    found = torch.autograd.grad(run(*leaves).square().sum(), leaves)
    expected = torch.autograd.grad(cross_selective_scan(*leaves, backend="reference").square().sum(), leaves)
    torch.testing.assert_close(found, expected)
