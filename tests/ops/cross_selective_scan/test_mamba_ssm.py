import sys

import pytest
import torch

from monai_medmamba.ops import BackendError, cross_selective_scan
from monai_medmamba.ops.cross_selective_scan import mamba_ssm
from testing.backends import require_backend
from testing.scans import SPACES, assert_meets_reference, scan_inputs


def test_reasons_name_the_missing_module_and_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "selective_scan_cuda", None)
    mamba_ssm._module.cache_clear()
    try:
        reasons = "; ".join(mamba_ssm.unsupported(*scan_inputs((3, 3), dtype=torch.float64)))
    finally:
        mamba_ssm._module.cache_clear()
    assert "selective_scan_cuda cannot be imported" in reasons
    assert "pip install" in reasons
    assert "needs CUDA tensors, got cpu" in reasons
    assert "float64" in reasons


def test_too_many_states_is_a_reason():
    reasons = mamba_ssm.unsupported(*scan_inputs((2, 2), states=257))
    assert any("at most 256 states" in reason for reason in reasons)


def test_asking_for_it_by_name_on_the_cpu_raises():
    with pytest.raises(BackendError, match=r"mamba_ssm.*needs CUDA"):
        cross_selective_scan(*scan_inputs((3, 3)), backend="mamba_ssm")


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("decay", ["mixed", "slow", "fast"])
@pytest.mark.parametrize("space", [*SPACES, (56, 56)], ids=str)
def test_matches_reference(space, decay, dtype):
    tensors = scan_inputs(space, decay=decay, dtype=dtype, device="cuda")
    require_backend("mamba_ssm", mamba_ssm.unsupported(*tensors))
    # The compiled module is built with fast math: measured on an H100, its gradient of A is off by up to 3.2 times
    # the reference's own float32 error where that error is smallest.
    assert_meets_reference(tensors, "mamba_ssm", factor=4)
