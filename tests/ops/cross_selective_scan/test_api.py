import subprocess
import sys

import pytest
import torch

from monai_medmamba.ops import BACKENDS, cross_selective_scan
from testing.backends import require_on_cpu
from testing.scans import scan_inputs


@pytest.fixture(params=["reference", "chunked", "cpu"])
def backend(request):
    require_on_cpu(request.param)
    return request.param


@pytest.mark.parametrize("space", [(3, 4), (2, 3, 4)], ids=str)
def test_shape(space, backend):
    tensors = scan_inputs(space, batch=3, dtype=torch.bfloat16)
    y = cross_selective_scan(*tensors, backend=backend)
    assert y.shape == tensors[0].shape
    assert y.dtype == torch.bfloat16


def test_empty_batch(backend):
    tensors = [tensor.requires_grad_() for tensor in scan_inputs((3, 4), batch=0)]
    y = cross_selective_scan(*tensors, backend=backend)
    grads = torch.autograd.grad(y.sum(), tensors)
    assert y.shape == (0, 3, 4, 6)
    assert all(grad.abs().sum() == 0 for grad in grads)


def test_reference_is_last():
    assert BACKENDS[-1].name == "reference"
    assert len({backend.name for backend in BACKENDS}) == len(BACKENDS)


def test_the_environment_names_the_backend(monkeypatch):
    monkeypatch.setenv("MONAI_MEDMAMBA_BACKEND", "nonsense")
    with pytest.raises(RuntimeError, match="nonsense"):
        cross_selective_scan(*scan_inputs((3, 4)))


def test_autocast_is_off_inside(backend):
    tensors = scan_inputs((5, 6))
    expected = cross_selective_scan(*tensors, backend=backend)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = cross_selective_scan(*tensors, backend=backend)
    assert torch.equal(found, expected)


def test_compiles():
    tensors = [tensor.requires_grad_() for tensor in scan_inputs((5, 6))]
    compiled = torch.compile(cross_selective_scan, fullgraph=True, backend="aot_eager")
    expected = torch.autograd.grad(cross_selective_scan(*tensors).square().sum(), tensors)
    found = torch.autograd.grad(compiled(*tensors).square().sum(), tensors)
    torch.testing.assert_close(found, expected)


def test_exports():
    class Scan(torch.nn.Module):
        def forward(self, *tensors):
            return cross_selective_scan(*tensors)

    tensors = tuple(scan_inputs((5, 6)))
    program = torch.export.export(Scan(), tensors)
    torch.testing.assert_close(program.module()(*tensors), cross_selective_scan(*tensors))


def test_first_compile_in_a_fresh_process():
    code = (
        "import torch; from monai_medmamba.ops import cross_selective_scan; from testing.scans import scan_inputs;"
        "print(torch.compile(cross_selective_scan, fullgraph=True, backend='eager')(*scan_inputs((2, 3))).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch.Size([2, 2, 3, 6])" in done.stdout
