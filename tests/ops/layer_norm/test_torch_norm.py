import torch
from torch import nn

from monai_medmamba.ops.layer_norm import torch_norm


def test_matches_the_module():
    norm, x = nn.LayerNorm(6).double(), torch.randn(2, 3, 12, dtype=torch.float64)[..., 6:].requires_grad_()
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    y = norm(x)
    grad_y = torch.randn_like(y)
    expected = torch.autograd.grad(y, [x, norm.weight, norm.bias], grad_y)
    call = [tensor.detach() for tensor in (x, norm.weight, norm.bias)]
    torch.testing.assert_close(torch_norm.forward(*call), y)
    for found, right in zip(torch_norm.backward(grad_y, *call), expected, strict=True):
        torch.testing.assert_close(found, right)
