"""Convolutions of maps with few positions, in forms that ``torch.compile`` turns into fewer and quicker GPU kernels."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["convolve_as_product", "convolve_each_channel", "is_small"]

_FEW = 4096  # positions of a batch: beyond, the convolutions of cuDNN are quicker


def is_small(x: Tensor) -> bool:
    """Tells whether a map is one that these forms are for: of few positions, on a GPU, under ``torch.compile``.

    Args:
        x: (B, *space, C).

    Returns:
        False as well while a network is exported, whose batch and size stay free.

    Example:
        >>> is_small(torch.zeros(1, 2, 3, 4))  # on the CPU
        False
    """
    return torch.compiler.is_dynamo_compiling() and x.is_cuda and x[..., 0].numel() <= _FEW


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
    neighbours = neighbours.movedim(dims + 1, -1).flatten(-dims - 1)  # (B, *space, size * ... * C)
    return F.linear(neighbours, conv.weight.movedim(1, -1).flatten(1), conv.bias)


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
