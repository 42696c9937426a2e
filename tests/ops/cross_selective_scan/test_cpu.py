import ctypes
import multiprocessing
import os

import pytest
import torch

from monai_medmamba.ops import BackendError, cross_selective_scan
from monai_medmamba.ops.cross_selective_scan import cpu
from testing.backends import require_on_cpu
from testing.scans import ENOUGH, SPACES, assert_meets_reference, scan_inputs, value_and_gradients

# Channels and states around the vectors' widths: fewer, a whole block, one more.
WIDTHS = [(3, 2), (8, 8), (16, 16), (17, 5)]


@pytest.fixture(autouse=True)
def _library():
    require_on_cpu("cpu")


@pytest.fixture(params=range(len(cpu.ISA_NAMES)), ids=cpu.ISA_NAMES)
def isa(request, monkeypatch):
    """Each instruction set that this processor has."""
    if request.param > cpu.best_isa():
        pytest.skip(f"this processor has no {cpu.ISA_NAMES[request.param]}")
    monkeypatch.setattr(cpu, "best_isa", lambda: request.param)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("decay", ["mixed", "slow", "fast"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_matches_reference(space, decay):
    assert_meets_reference(scan_inputs(space, **ENOUGH, decay=decay), "cpu")


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize(("channels", "states"), WIDTHS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_matches_reference_at_every_width_and_dtype(channels, states, dtype):
    assert_meets_reference(scan_inputs((7, 9), channels=channels, states=states, dtype=dtype), "cpu")


@pytest.mark.parametrize(("channels", "states"), WIDTHS)
def test_matches_reference_in_float64(channels, states):
    tensors = scan_inputs((7, 9), channels=channels, states=states, dtype=torch.float64)
    cotangent = torch.randn_like(tensors[0])
    expected = value_and_gradients(tensors, "reference", cotangent)
    torch.testing.assert_close(value_and_gradients(tensors, "cpu", cotangent), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("decay", ["mixed", "slow"])
def test_matches_reference_over_several_segments(decay):
    """Longer than what the backward pass keeps at once."""
    assert_meets_reference(scan_inputs((40, 33), batch=1, states=16, decay=decay), "cpu", factor=4)


@pytest.mark.parametrize("space", [(2, 5), (2, 2, 3)], ids=str)
def test_gradcheck(space):
    tensors = scan_inputs(space, batch=1, channels=3, states=2, rank=1, dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(lambda *t: cross_selective_scan(*t, backend="cpu"), leaves, fast_mode=True)


def test_non_contiguous_tensors():
    tensors = scan_inputs((6, 5))
    strided = [torch.stack([tensor, tensor.flip(0)], dim=-1)[..., 0] for tensor in tensors]
    cotangent = torch.randn(6, 5, 2, 6).permute(2, 0, 1, 3)
    expected = value_and_gradients(tensors, "cpu", cotangent.contiguous())
    found = value_and_gradients(strided, "cpu", cotangent)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_threads_change_no_bit_and_neither_does_running_again():
    tensors = scan_inputs((13, 11), batch=3, channels=24, states=16)
    cotangent = torch.randn_like(tensors[0])
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2, 2, 5):
            torch.set_num_threads(count)
            results.append(value_and_gradients(tensors, "cpu", cotangent))
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(other[name], results[0][name]) for name in other)


def test_runs_on_torchs_own_threads():
    """A call asks torch's OpenMP library for its threads."""
    team, threads, asked = cpu.torch_team(), torch.get_num_threads(), []
    if team is None:
        pytest.skip("this build of torch keeps no OpenMP library beside it")
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)

    def noting(function, data, count, flags):
        asked.append(count)
        kind(team)(function, data, count, flags)

    noted = kind(noting)
    cpu._library().medmamba_use_team(noted)
    try:
        torch.set_num_threads(2)
        cross_selective_scan(*scan_inputs((9, 7), batch=3), backend="cpu")
    finally:
        torch.set_num_threads(threads)
        cpu._library().medmamba_use_team(ctypes.c_void_p(team))
    assert asked == [2]


def _scan_in_child(tensors, results):
    results.put(cross_selective_scan(*tensors, backend="cpu").numpy())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_works_in_a_process_forked_from_one_whose_threads_ran():
    tensors = [tensor.detach() for tensor in scan_inputs((9, 7), batch=3, channels=40)]
    expected = cross_selective_scan(*tensors, backend="cpu")
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_scan_in_child, args=(tensors, results))
    child.start()
    try:
        assert torch.equal(torch.from_numpy(results.get(timeout=60)), expected)
    finally:
        child.kill()
        child.join()


def test_writes_every_element():
    tensors = [tensor.requires_grad_() for tensor in scan_inputs((13, 11), channels=17, states=5)]
    torch.use_deterministic_algorithms(True, warn_only=True)  # fills every `empty` with NaN
    try:
        y = cross_selective_scan(*tensors, backend="cpu")
        grads = torch.autograd.grad(y.sum(), tensors)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.isfinite(tensor).all() for tensor in (y, *grads))


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("extreme", [1e4, -1e4])
def test_extreme_steps_stay_finite(extreme):
    tensors = scan_inputs((3, 4))
    tensors[3] = torch.full_like(tensors[3], extreme)  # softplus gives 1e4, or next to 0
    torch.testing.assert_close(
        cross_selective_scan(*tensors, backend="cpu"),
        cross_selective_scan(*tensors, backend="reference"),
        rtol=1e-4,
        atol=1e-3,
    )


def test_a_missing_library_is_a_reason_with_its_cure(monkeypatch, tmp_path):
    monkeypatch.setattr(cpu, "LIBRARY", tmp_path / "_scan.so")
    cpu._library.cache_clear()
    try:
        with pytest.raises(BackendError, match=r"not built.*C\+\+ compiler.*pip install"):
            cross_selective_scan(*scan_inputs((2, 2)), backend="cpu")
        assert cross_selective_scan(*scan_inputs((2, 2))).shape == (2, 2, 2, 6)  # 'auto' goes on to the next
        (tmp_path / "_scan.so").write_bytes(b"damaged")
        cpu._library.cache_clear()
        assert "cannot be loaded" in cpu.unsupported(*scan_inputs((2, 2)))[0]
    finally:
        cpu._library.cache_clear()


def test_the_library_is_called_by_a_plain_c_interface():
    assert isinstance(cpu._library(), ctypes.CDLL)
    assert 0 <= cpu.best_isa() < len(cpu.ISA_NAMES)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("position", range(6), ids=["x", "x_dbl", "dt_weight", "dt_bias", "A", "D"])
def test_what_is_no_number_reaches_the_result(position):
    tensors = scan_inputs((3, 4))
    tensors[position].flatten()[0] = float("nan")
    y = cross_selective_scan(*tensors, backend="cpu")
    expected = cross_selective_scan(*tensors, backend="reference")
    assert torch.equal(y.isnan().any((1, 2)), expected.isnan().any((1, 2)))
    assert y.isnan().any()
