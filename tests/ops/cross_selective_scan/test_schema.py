import pytest
import torch

from testing.backends import require_on_cpu
from testing.scans import scan_inputs

OPERATOR = torch.ops.monai_medmamba.cross_selective_scan.default


@pytest.mark.parametrize("backend", ["reference", "chunked", "cpu"])
@pytest.mark.parametrize("space", [(3, 4), (2, 2, 3)], ids=str)
def test_opcheck(space, backend):
    require_on_cpu(backend)
    tensors = [tensor.requires_grad_() for tensor in scan_inputs(space)]
    torch.library.opcheck(OPERATOR, (*tensors, backend))


def test_second_derivatives_are_refused():
    tensors = [tensor.requires_grad_() for tensor in scan_inputs((3, 4))]
    y = OPERATOR(*tensors, "chunked")
    (grad,) = torch.autograd.grad(y.sum(), tensors[0], create_graph=True)
    with pytest.raises(NotImplementedError, match="differentiable once"):
        torch.autograd.grad(grad.sum(), tensors[0])
