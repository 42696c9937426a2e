"""Convolutions of maps with few positions, in forms that are quicker than the libraries' own there."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["convolve_as_product", "convolve_each_channel", "is_small"]

# Positions of a batch beyond which the convolutions of oneDNN and cuDNN are quicker.
_FEW, _FEW_COMPILED = 64, 4096


def is_small(x: Tensor, training: bool) -> bool:
    """Tells whether a map has so few positions that a convolution of it is best written as a product.

    On a CPU, where a convolution first copies its weights into an order of its own: for few positions, that takes
    longer than the rest. On a GPU in evaluation under ``torch.compile``, which makes fewer and quicker kernels of it.

    Args:
        x: (B, *space, C).
        training: of the module.

    Returns:
        False while a network is exported or traced, whose batch and size stay free.

    Example:
        >>> is_small(torch.zeros(1, 7, 7, 384), training=True)
        True
    """
    if x.is_cuda:
        return not training and torch.compiler.is_dynamo_compiling() and x[..., 0].numel() <= _FEW_COMPILED
    free = torch.compiler.is_compiling() or torch.jit.is_tracing()
    return x.device.type == "cpu" and not free and x[..., 0].numel() <= _FEW


def convolve_as_product(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    """Returns a convolution as one matrix product with every position's neighbourhood.

    Args:
        conv: of torch, with stride 1, an odd size and zeros around that keep the map's size, and without groups.
        x: (B, *space, C).

    Returns:
        (B, *space, C').

    Example:
        >>> conv = nn.Conv2d(3, 4, 3, padding=1)
        >>> convolve_as_product(conv, torch.zeros(1, 5, 7, 3)).shape
        torch.Size([1, 5, 7, 4])
    """
    sizes, dims = conv.weight.shape[2:], x.dim() - 2
    neighbours = _padded(x, sizes)
    for axis, size in enumerate(sizes, start=1):
        neighbours = neighbours.unfold(axis, size, 1)
    weight = conv.weight
    if not weight.is_contiguous():  # channels last
        neighbours, weight = neighbours.movedim(dims + 1, -1), weight.movedim(1, -1)
    return F.linear(neighbours.flatten(-dims - 1), weight.flatten(1), conv.bias)


def convolve_each_channel(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    """Returns a depthwise convolution as a sum of shifted maps, computed in float32 or wider.

    Args:
        conv: of torch, with stride 1, an odd size and zeros around that keep the map's size, and a group a channel.
        x: (B, *space, C).

    Returns:
        (B, *space, C), in the dtype of ``x``.

    Example:
        >>> conv = nn.Conv2d(3, 3, 3, padding=1, groups=3)
        >>> convolve_each_channel(conv, torch.zeros(1, 5, 7, 3)).shape
        torch.Size([1, 5, 7, 3])
    """
    wide = torch.promote_types(x.dtype, torch.float32)
    sizes, space = conv.weight.shape[2:], x.shape[1:-1]
    padded, weights = _padded(x, sizes), conv.weight.flatten(1).unbind(1)
    total = torch.zeros((), dtype=wide, device=x.device) if conv.bias is None else conv.bias.to(wide)
    for starts, weight in zip(itertools.product(*map(range, sizes)), weights, strict=True):
        shifted = padded
        for axis, (start, length) in enumerate(zip(starts, space, strict=True), start=1):
            shifted = shifted.narrow(axis, start, length)
        total = total + shifted.to(wide) * weight.to(wide)
    return total.to(x.dtype)


def _padded(x: Tensor, sizes: torch.Size) -> Tensor:
    return F.pad(x, [0, 0, *(size // 2 for size in reversed(sizes) for _ in range(2))])
