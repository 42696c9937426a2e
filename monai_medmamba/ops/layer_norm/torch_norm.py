"""The layer normalisation in torch's own operators: what the kernels are held to, and what runs without them."""

from __future__ import annotations

import torch
from torch import Tensor

LAYER_NORM_EPSILON = 1e-5
"""What keeps the scale finite: that of ``torch.nn.LayerNorm``."""


def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Returns the normalised map, contiguous, in its dtype."""
    scale, shift = weight.to(x.dtype), bias.to(x.dtype)
    return torch.nn.functional.layer_norm(x.contiguous(), weight.shape, scale, shift, LAYER_NORM_EPSILON)


def backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients of the map, of the weight and of the bias."""
    x, scale, shift = x.contiguous(), weight.to(x.dtype), bias.to(x.dtype)
    _, mean, rstd = torch.ops.aten.native_layer_norm(x, list(weight.shape), scale, shift, LAYER_NORM_EPSILON)
    call = (grad_y.to(x.dtype).contiguous(), x, list(weight.shape), mean, rstd, scale, shift, [True] * 3)
    grads = torch.ops.aten.native_layer_norm_backward(*call)
    return grads[0].contiguous(), grads[1].to(weight.dtype), grads[2].to(bias.dtype)
