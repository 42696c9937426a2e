"""The specification: the recurrence token by token, and its adjoint token by token, in plain torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..backend import Backend
from .directions import gather, scatter_sum
from .projections import SequenceGradients, compute_dtype, contract, expand


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``."""
    dtype = compute_dtype(x)
    seq = expand(x, x_dbl, dt_weight, A.shape[-1])
    dt = F.softplus(seq.delta + dt_bias.to(dtype).unsqueeze(1))  # (B, K, L, D)
    states = _states(seq.u, dt, seq.B, A.to(dtype))
    y = torch.stack([(h * seq.C[:, :, t, None, :]).sum(-1) for t, h in enumerate(states)], dim=2)
    y = y + D.to(dtype).unsqueeze(1) * seq.u
    return scatter_sum(y, tuple(x.shape[1:-1])).to(x.dtype)


def backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the six tensors, by the adjoint recurrence from the last token to the first."""
    dtype = compute_dtype(x)
    g = gather(grad_y.to(dtype))  # (B, K, L, D)
    u, delta, B, C, r = expand(x, x_dbl, dt_weight, A.shape[-1])
    pre = delta + dt_bias.to(dtype).unsqueeze(1)
    dt = F.softplus(pre)
    decay_rate = A.to(dtype)
    states = _states(u, dt, B, decay_rate)

    grad_A = torch.zeros_like(decay_rate)
    grad_u, grad_dt = torch.empty_like(u), torch.empty_like(u)
    grad_B, grad_C = torch.empty_like(B), torch.empty_like(C)
    grad_h = torch.zeros_like(states[0])  # (B, K, D, N), what later tokens ask of this token's state
    for t in reversed(range(len(states))):
        previous = states[t - 1] if t > 0 else torch.zeros_like(grad_h)
        decay = torch.exp(dt[:, :, t, :, None] * decay_rate)
        grad_h = grad_h + g[:, :, t, :, None] * C[:, :, t, None, :]
        grad_C[:, :, t] = (g[:, :, t, :, None] * states[t]).sum(2)
        grad_B[:, :, t] = (grad_h * (dt * u)[:, :, t, :, None]).sum(2)
        grad_input = (grad_h * B[:, :, t, None, :]).sum(-1)  # of dt * u
        grad_exponent = grad_h * decay * previous  # of dt * A
        grad_u[:, :, t] = grad_input * dt[:, :, t]
        grad_dt[:, :, t] = grad_input * u[:, :, t] + (grad_exponent * decay_rate).sum(-1)
        grad_A += (grad_exponent * dt[:, :, t, :, None]).sum(0)
        grad_h = grad_h * decay
    grad_u = grad_u + D.to(dtype).unsqueeze(1) * g
    grad_delta = grad_dt * torch.sigmoid(pre)
    grads = SequenceGradients(grad_u, grad_delta, grad_B, grad_C, grad_A, (g * u).sum(dim=(0, 2)))
    return contract(grads, r, x, x_dbl, dt_weight, dt_bias, A, D)


def _states(u: Tensor, dt: Tensor, B: Tensor, A: Tensor) -> list[Tensor]:
    """Returns the state (B, K, D, N) after each token."""
    states = []
    h = u.new_zeros(u.shape[0], *A.shape)
    for t in range(u.shape[2]):
        decay = torch.exp(dt[:, :, t, :, None] * A)
        h = decay * h + (dt[:, :, t] * u[:, :, t])[..., None] * B[:, :, t, None, :]
        states.append(h)
    return states


def unsupported(*_tensors: Tensor) -> list[str]:
    """Returns no reason: the reference runs wherever torch does."""
    return []


BACKEND = Backend("reference", forward, backward, unsupported)
