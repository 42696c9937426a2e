import pytest
import torch

from monai_medmamba.ops import cross_selective_scan
from monai_medmamba.ops.cross_selective_scan import chunked
from testing.scans import ENOUGH, SPACES, assert_meets_reference, scan_inputs


@pytest.fixture(params=[1, 3, 8, 1000], ids=lambda tokens: f"chunks-of-{tokens}")
def chunk_length(request, monkeypatch):
    """Cut sequences into chunks of a set length, and keep few states at a time."""
    monkeypatch.setattr(chunked, "_chunk_length", lambda u, d_state: min(request.param, u.shape[2]))
    monkeypatch.setattr(chunked, "_KEPT_ELEMENTS", {"default": 20000})


@pytest.mark.usefixtures("chunk_length")
@pytest.mark.parametrize("decay", ["mixed", "slow", "fast"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_matches_reference(space, decay):
    assert_meets_reference(scan_inputs(space, **ENOUGH, decay=decay), "chunked")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_matches_reference_in_every_dtype(dtype):
    assert_meets_reference(scan_inputs((7, 9), dtype=dtype), "chunked")


@pytest.mark.slow
def test_matches_reference_over_a_long_sequence_with_almost_no_decay():
    assert_meets_reference(scan_inputs((56, 56), batch=1, decay="slow"), "chunked", factor=4)


@pytest.mark.usefixtures("chunk_length")
@pytest.mark.parametrize("space", [(2, 5), (2, 2, 2)], ids=str)
def test_gradcheck(space):
    tensors = scan_inputs(space, batch=1, channels=2, states=2, rank=1, dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(lambda *t: cross_selective_scan(*t, backend="chunked"), leaves, fast_mode=True)


def test_non_contiguous_tensors():
    tensors = scan_inputs((6, 5))
    strided = [torch.stack([tensor, tensor.flip(0)], dim=-1)[..., 0] for tensor in tensors]
    assert not strided[0].is_contiguous()
    torch.testing.assert_close(
        cross_selective_scan(*strided, backend="chunked"), cross_selective_scan(*tensors, backend="chunked")
    )


def test_reads_no_memory_it_has_not_written():
    tensors = [tensor.requires_grad_() for tensor in scan_inputs((13, 11))]
    torch.use_deterministic_algorithms(True, warn_only=True)  # fills every `empty` with NaN
    try:
        y = cross_selective_scan(*tensors, backend="chunked")
        grads = torch.autograd.grad(y.sum(), tensors)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.isfinite(tensor).all() for tensor in (y, *grads))


def test_memory_of_the_backward_pass_is_bounded(monkeypatch):
    monkeypatch.setattr(chunked, "_KEPT_ELEMENTS", {"default": 1 << 14})
    held = []
    original = chunked._chunk_gradients

    def watch(chunks, g, h, *rest):
        held.append(len(chunks.dt) * h.numel())
        return original(chunks, g, h, *rest)

    monkeypatch.setattr(chunked, "_chunk_gradients", watch)
    tensors = [tensor.requires_grad_() for tensor in scan_inputs((32, 32), batch=1)]
    cross_selective_scan(*tensors, backend="chunked").sum().backward()
    assert len(held) > 1
    assert max(held) <= 1 << 14


@pytest.mark.slow
def test_is_faster_than_the_reference_at_the_first_stage_s_size():
    import time

    tensors = scan_inputs((56, 56), batch=1, channels=96, states=16, rank=3)

    def seconds(backend):
        times = []
        for _ in range(3):
            start = time.perf_counter()
            cross_selective_scan(*tensors, backend=backend)
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds("reference") > 2.5 * seconds("chunked")
