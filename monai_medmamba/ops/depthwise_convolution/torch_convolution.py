"""The depthwise convolution in torch's own operators: what the kernels are held to, and what runs without them."""

from __future__ import annotations

import torch
from torch import Tensor


def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Returns the convolution of a map, (B, *space, C) in its dtype."""
    y = torch.ops.aten.convolution(x.movedim(-1, 1), weight.to(x.dtype), bias.to(x.dtype), *_options(x))
    return y.movedim(1, -1).contiguous()


def backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients of the map, of the weight and of the bias."""
    tensors = (grad_y.to(x.dtype).movedim(-1, 1), x.movedim(-1, 1), weight.to(x.dtype), [len(bias)])
    grads = torch.ops.aten.convolution_backward(*tensors, *_options(x), [True] * 3)
    return grads[0].movedim(1, -1).contiguous(), grads[1].to(weight.dtype).contiguous(), grads[2].to(bias.dtype)


def _options(x: Tensor) -> tuple[list[int], list[int], list[int], bool, list[int], int]:
    ones = [1] * (x.dim() - 2)
    return ones, ones, ones, False, [0] * len(ones), x.shape[-1]  # stride, padding, dilation; channels are groups
