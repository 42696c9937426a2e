"""From image order to the K scan directions and back.

Directions come in two halves. The first runs along each spatial axis, from the last to the first: that axis is
moved to the end, so that it varies fastest, and the others keep their order. The second half is the first one
reversed. In 2-D that gives rows, columns, rows reversed, columns reversed: the order of the published network.
"""

from __future__ import annotations

import torch
from torch import Tensor


def scan_orders(spatial_dims: int) -> tuple[tuple[int, ...], ...]:
    """Returns the order of the spatial axes, slowest first, for each of the forward directions.

    Args:
        spatial_dims: 2 or 3.

    Returns:
        One permutation of ``range(spatial_dims)`` per forward direction; the K = 2 * spatial_dims directions are
        these and then their reverses.

    Example:
        >>> scan_orders(2)
        ((0, 1), (1, 0))
        >>> scan_orders(3)
        ((0, 1, 2), (0, 2, 1), (1, 2, 0))
    """
    axes = range(spatial_dims)
    return tuple((*(a for a in axes if a != last), last) for last in reversed(axes))


def gather(x: Tensor) -> Tensor:
    """Returns every direction's sequence of the same map: (B, *space, C) -> (B, K, L, C)."""
    flat = [_permute_space(x, order).flatten(1, -2) for order in scan_orders(x.dim() - 2)]
    forward = torch.stack(flat, dim=1)  # (B, K/2, L, C)
    return torch.cat([forward, forward.flip(2)], dim=1)


def gather_own(x: Tensor) -> Tensor:
    """Returns each direction's sequence of its own map: (B, *space, K, C) -> (B, K, L, C)."""
    orders = scan_orders(x.dim() - 3)
    maps = x.unbind(-2)
    half = len(orders)
    flat = [_permute_space(m, orders[k % half]).flatten(1, -2) for k, m in enumerate(maps)]
    return torch.stack([f if k < half else f.flip(1) for k, f in enumerate(flat)], dim=1)


def scatter_sum(y: Tensor, space: tuple[int, ...]) -> Tensor:
    """Returns the directions' sum in image order: (B, K, L, C) -> (B, *space, C), the adjoint of gather."""
    half = y.shape[1] // 2
    forward = y[:, :half] + y[:, half:].flip(2)  # (B, K/2, L, C)
    maps = [_unpermute_space(forward[:, k], order, space) for k, order in enumerate(scan_orders(len(space)))]
    total = maps[0]
    for m in maps[1:]:
        total = total + m
    return total.contiguous()


def scatter_own(y: Tensor, space: tuple[int, ...]) -> Tensor:
    """Returns each direction's own map in image order: (B, K, L, C) -> (B, *space, K, C), gather_own's adjoint."""
    orders = scan_orders(len(space))
    half = len(orders)
    flat = [y[:, k] if k < half else y[:, k].flip(1) for k in range(2 * half)]
    return torch.stack([_unpermute_space(f, orders[k % half], space) for k, f in enumerate(flat)], dim=-2)


def _permute_space(x: Tensor, order: tuple[int, ...]) -> Tensor:
    return x.permute(0, *(1 + axis for axis in order), x.dim() - 1)


def _unpermute_space(flat: Tensor, order: tuple[int, ...], space: tuple[int, ...]) -> Tensor:
    permuted = flat.reshape(flat.shape[0], *(space[axis] for axis in order), flat.shape[-1])
    return _permute_space(permuted, tuple(order.index(axis) for axis in range(len(order))))
