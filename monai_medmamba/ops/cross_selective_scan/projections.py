"""The arguments of the operation as K independent scans, and the gradients of those scans as the operation's.

Backends that want each direction's sequence spelled out (plain torch, mamba-ssm) share this; backends that turn a
direction into index arithmetic do not need it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .directions import gather, gather_own, scatter_own, scatter_sum


class Sequences(NamedTuple):
    """The scans' inputs in direction order, in the dtype of the computation."""

    u: Tensor  # (B, K, L, D) the features
    delta: Tensor  # (B, K, L, D) the step before its bias and softplus
    B: Tensor  # (B, K, L, N)
    C: Tensor  # (B, K, L, N)
    r: Tensor  # (B, K, L, R) the low-rank step, kept for the gradient of dt_weight


class SequenceGradients(NamedTuple):
    """The gradients of the scans' inputs, and of the parameters that the scans hold."""

    u: Tensor  # (B, K, L, D)
    delta: Tensor  # (B, K, L, D)
    B: Tensor  # (B, K, L, N)
    C: Tensor  # (B, K, L, N)
    A: Tensor  # (K, D, N)
    D: Tensor  # (K, D)


def compute_dtype(x: Tensor) -> torch.dtype:
    """Returns float64 for float64 features and float32 for every other dtype."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def expand(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, d_state: int) -> Sequences:
    """Returns the K scans of a call; ``delta`` is ``dt_weight @ r``, without bias and softplus."""
    dtype = compute_dtype(x)
    rank = dt_weight.shape[-1]
    u = gather(x.to(dtype))
    r, B, C = gather_own(x_dbl.to(dtype)).split([rank, d_state, d_state], dim=-1)
    delta = torch.einsum("bklr,kdr->bkld", r, dt_weight.to(dtype))
    return Sequences(u, delta, B, C, r)


def contract(
    grads: SequenceGradients,
    r: Tensor,
    x: Tensor,
    x_dbl: Tensor,
    dt_weight: Tensor,
    dt_bias: Tensor,
    A: Tensor,
    D: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the operation's six tensors, each in its tensor's dtype, from those of the scans."""
    space = tuple(x.shape[1:-1])
    grad_r = torch.einsum("bkld,kdr->bklr", grads.delta, dt_weight.to(grads.delta.dtype))
    grad_x_dbl = scatter_own(torch.cat([grad_r, grads.B, grads.C], dim=-1), space)
    return (
        scatter_sum(grads.u, space).to(x.dtype),
        grad_x_dbl.to(x_dbl.dtype),
        torch.einsum("bkld,bklr->kdr", grads.delta, r).to(dt_weight.dtype),
        grads.delta.sum(dim=(0, 2)).to(dt_bias.dtype),
        grads.A.to(A.dtype),
        grads.D.to(D.dtype),
    )
