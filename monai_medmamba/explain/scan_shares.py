"""Where the result of one cross selective scan comes from: its implicit attention, direction by direction.

The scan of one direction and channel is a matrix, ``y = (M + D) x``, with
``M[i, j] = C_i . exp(A (dt_{j+1} + ... + dt_i)) dt_j B_j`` for tokens j up to i in that direction's order: an attention
without softmax. It is never built. A weighted sum of the results is shared out among the tokens by one pass of the
scan's adjoint.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops import cross_selective_scan

__all__ = ["scan_shares"]


def scan_shares(
    weights: Tensor,
    x: Tensor,
    x_dbl: Tensor,
    dt_weight: Tensor,
    dt_bias: Tensor,
    A: Tensor,
    D: Tensor,
    *,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Shares out a weighted sum of a scan's results among the tokens that they come from, direction by direction.

    With ``M_kd`` the attention of direction k and channel d, a token j gives ``sum_d x_jd sum_i weights_id M_kd[i, j]``
    to others and itself, and ``sum_d x_jd weights_jd D_kd`` to itself past the state. What selects (steps, B and C) is
    held fixed, as the attention weights of a transformer are. Time and memory grow with the number of tokens, not
    with its square.

    Args:
        weights: What each number of the scan's result counts, (B, *space, D).
        x: Features, as for :func:`monai_medmamba.ops.cross_selective_scan`.
        x_dbl: Projections, likewise.
        dt_weight: Of the steps, likewise.
        dt_bias: Of the steps, likewise.
        A: State matrix, likewise.
        D: Skip weights, likewise.
        backend: Of the scan.

    Returns:
        What each token gives through the state of each direction, and what it gives itself through the direction's
        skip, both (B, K, *space), in the dtype of ``x`` and signed. Together they add up to the sum of
        ``weights * y``.

    Raises:
        ValueError: A shape does not fit.

    Example:
        >>> x, x_dbl = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4, 5)
        >>> A, steps = -torch.rand(4, 4, 2), torch.randn(4, 4, 1)
        >>> given, _kept = scan_shares(x, x, x_dbl, steps, torch.zeros(4, 4), A, torch.ones(4, 4))
        >>> given.shape
        torch.Size([1, 4, 2, 3])
    """
    if weights.shape != x.shape:
        raise ValueError(f"expected weights for a result of shape {tuple(x.shape)}, got {tuple(weights.shape)}")
    batch, directions, states = x.shape[0], A.shape[0], A.shape[-1]
    # One scan of K times the batch: the k-th copy reads out direction k alone, because C is zero in the others.
    only = torch.eye(directions, dtype=x_dbl.dtype, device=x.device).repeat_interleave(batch, 0)  # (KB, K)
    only = only.reshape(directions * batch, *[1] * (x.dim() - 2), directions, 1)
    copies = x_dbl.detach().repeat(directions, *[1] * (x_dbl.dim() - 1))
    projected = torch.cat([copies[..., :-states], copies[..., -states:] * only], dim=-1)
    features = x.detach().repeat(directions, *[1] * (x.dim() - 1)).requires_grad_()
    counts = weights.detach().repeat(directions, *[1] * (x.dim() - 1))
    fixed = (dt_weight.detach(), dt_bias.detach(), A.detach())
    with torch.enable_grad():
        y = cross_selective_scan(features, projected, *fixed, torch.zeros_like(D), backend=backend)
        (pulled,) = torch.autograd.grad(y, features, counts)
    given = (pulled * features).sum(-1).detach().unflatten(0, (directions, batch)).transpose(0, 1)
    kept = torch.einsum("b...d,kd->bk...", (weights * x).detach(), D.detach().to(x.dtype))
    return given, kept
