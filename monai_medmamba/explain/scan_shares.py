"""What each token gives to a class through one cross selective scan: its implicit attention, direction by direction.

The scan of one direction and channel is a matrix, ``y = M x + D x``, with
``M[i, j] = C_i . exp(A (dt_{j+1} + ... + dt_i)) dt_j B_j`` for tokens j up to i in that direction's order: an attention
without softmax. It is never built. Weighted by the gradient of a class score in the result, its sums over rows and
over columns are one pass of the scan and of its adjoint.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..ops import cross_selective_scan

__all__ = ["ScanShares", "scan_shares"]


@dataclass(frozen=True, eq=False)
class ScanShares:
    """How the scan's part of a first-order change of the score is shared out among the tokens of a map.

    Args:
        sources: What each token gives away through each direction, (B, K, *space); signed.
        targets: What each token receives through each direction, (B, K, *space); its sum is that of ``sources``.
        skip: What each token gives to itself past the scan, (B, *space).

    Example:
        >>> shares = ScanShares(torch.ones(1, 4, 2, 3), torch.ones(1, 4, 2, 3), torch.zeros(1, 2, 3))
        >>> shares.sources.sum((2, 3)).tolist()
        [[6.0, 6.0, 6.0, 6.0]]
    """

    sources: Tensor
    targets: Tensor
    skip: Tensor


def scan_shares(
    grad_y: Tensor,
    x: Tensor,
    x_dbl: Tensor,
    dt_weight: Tensor,
    dt_bias: Tensor,
    A: Tensor,
    D: Tensor,
    *,
    backend: str | None = None,
) -> ScanShares:
    """Shares out a class score among the tokens of a scan, direction by direction.

    With g the gradient of the score in the result and ``M_kd`` the attention of direction k and channel d, a source j
    has ``sum_d x_jd sum_i g_id M_kd[i, j]`` and a target i has ``sum_d g_id sum_j M_kd[i, j] x_jd``. What selects
    (steps, B and C) is held fixed, as the attention weights of a transformer are. Time and memory grow with the
    number of tokens, not with its square.

    Args:
        grad_y: Gradient of the score in the scan's result, (B, *space, D).
        x: Features, as for :func:`monai_medmamba.ops.cross_selective_scan`.
        x_dbl: Projections, likewise.
        dt_weight: Of the steps, likewise.
        dt_bias: Of the steps, likewise.
        A: State matrix, likewise.
        D: Skip weights, likewise.
        backend: Of the scan.

    Returns:
        The shares, in the dtype of ``x``. All sources and the skip add up to the sum of ``grad_y * y``.

    Raises:
        ValueError: A shape does not fit.

    Example:
        >>> x, x_dbl = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4, 5)
        >>> A, steps = -torch.rand(4, 4, 2), torch.randn(4, 4, 1)
        >>> scan_shares(torch.randn(1, 2, 3, 4), x, x_dbl, steps, torch.zeros(4, 4), A, torch.ones(4, 4)).sources.shape
        torch.Size([1, 4, 2, 3])
    """
    if grad_y.shape != x.shape:
        raise ValueError(f"expected the gradient of a result of shape {tuple(x.shape)}, got {tuple(grad_y.shape)}")
    batch, directions, states = x.shape[0], A.shape[0], A.shape[-1]
    # One scan of K times the batch: the k-th copy reads out direction k alone, because C is zero in the others.
    only = torch.eye(directions, dtype=x_dbl.dtype, device=x.device).repeat_interleave(batch, 0)  # (KB, K)
    only = only.reshape(directions * batch, *[1] * (x.dim() - 2), directions, 1)
    copies = x_dbl.detach().repeat(directions, *[1] * (x_dbl.dim() - 1))
    projected = torch.cat([copies[..., :-states], copies[..., -states:] * only], dim=-1)
    features = x.detach().repeat(directions, *[1] * (x.dim() - 1)).requires_grad_()
    grads = grad_y.detach().repeat(directions, *[1] * (x.dim() - 1))
    fixed = (dt_weight.detach(), dt_bias.detach(), A.detach())
    with torch.enable_grad():
        y = cross_selective_scan(features, projected, *fixed, torch.zeros_like(D), backend=backend)
        (pulled,) = torch.autograd.grad(y, features, grads)
    sources, targets = (
        shares.sum(-1).detach().unflatten(0, (directions, batch)).transpose(0, 1)
        for shares in (pulled * features, grads * y)
    )
    skip = (grad_y * x * D.sum(0).to(x.dtype)).sum(-1).detach()
    return ScanShares(sources, targets, skip)
