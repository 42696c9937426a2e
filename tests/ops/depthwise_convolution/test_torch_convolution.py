import pytest
import torch
from torch import nn

from monai_medmamba.ops.depthwise_convolution import torch_convolution


@pytest.mark.parametrize("space", [(5, 7), (3, 4, 5)], ids=str)
def test_matches_the_module(space):
    conv = (nn.Conv2d if len(space) == 2 else nn.Conv3d)(6, 6, 3, padding=1, groups=6).double()
    x = torch.randn(2, *space, 6, dtype=torch.float64, requires_grad=True)
    y = conv(x.movedim(-1, 1)).movedim(1, -1)
    grad_y = torch.randn_like(y)
    expected = torch.autograd.grad(y, [x, conv.weight, conv.bias], grad_y)
    call = [tensor.detach() for tensor in (x, conv.weight, conv.bias)]
    torch.testing.assert_close(torch_convolution.forward(*call), y)
    for found, right in zip(torch_convolution.backward(grad_y, *call), expected, strict=True):
        torch.testing.assert_close(found, right)
