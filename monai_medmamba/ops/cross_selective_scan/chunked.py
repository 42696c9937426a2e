"""The scan in plain torch with chunks in parallel: fast enough to use anywhere torch runs.

The sequence is cut into chunks. All chunks of all sequences advance together, one token of each per step, so a step
is a few large tensor operations. A first sweep finds the state that each chunk hands to the next; a second one starts
every chunk from the right state. Only decays are ever multiplied, so nothing overflows however slow or fast the decay
is. The backward pass mirrors this and recomputes states for a bounded number of chunks at a time. Where one step over
all sequences is already large, there is one chunk and the first sweep falls away.

States are laid out (rows, N, D) with the channels contiguous, so that sums over states are small matrix products.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..backend import Backend
from .directions import gather, scatter_sum
from .projections import SequenceGradients, compute_dtype, contract, expand

# State elements that one step should touch: enough to hide the cost of issuing it, few enough to stay in cache.
_STEP_ELEMENTS = {"cpu": 1 << 18, "default": 1 << 22}
# State elements that the backward pass may hold at once (two tensors of this many).
_KEPT_ELEMENTS = {"cpu": 1 << 25, "default": 1 << 28}


class _Chunks(NamedTuple):
    """Chunked inputs; T tokens a chunk, n chunks a sequence, tokens first so that a step reads one slice."""

    dt: Tensor  # (T, B, K, n, D) the step, zero beyond the end of the sequence
    input: Tensor  # (T, B, K, n, D) dt * u
    B: Tensor  # (T, B, K, n, N)
    C: Tensor  # (T, B, K, n, N)
    A: Tensor  # (K, 1, N, D)

    def part(self, chosen: slice) -> _Chunks:
        """Returns some of each sequence's chunks."""
        dt, entering, B, C = (field[:, :, :, chosen] for field in (self.dt, self.input, self.B, self.C))
        return _Chunks(dt, entering, B, C, self.A)


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``."""
    dtype = compute_dtype(x)
    u, delta, B, C, _r = expand(x, x_dbl, dt_weight, A.shape[-1])
    dt = F.softplus(delta + dt_bias.to(dtype).unsqueeze(1))
    tokens = _chunk_length(u, A.shape[-1])
    chunks = _split(u, dt, B, C, A.to(dtype), tokens)

    h = _entering_states(chunks)
    y = torch.empty_like(chunks.input)
    decay = torch.empty_like(h)
    for t in range(tokens):
        _advance(h, decay, chunks, t)
        torch.matmul(chunks.C[t].unsqueeze(-2), h, out=y[t].unsqueeze(-2))
    y = _join(y, u.shape[2]).addcmul_(D.to(dtype).unsqueeze(1), u)
    return scatter_sum(y, tuple(x.shape[1:-1])).to(x.dtype)


def backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the six tensors, holding the states of a bounded number of chunks at a time."""
    dtype = compute_dtype(x)
    g = gather(grad_y.to(dtype))  # (B, K, L, D)
    u, delta, B, C, r = expand(x, x_dbl, dt_weight, A.shape[-1])
    pre = delta + dt_bias.to(dtype).unsqueeze(1)
    dt = F.softplus(pre)
    length = u.shape[2]
    tokens = min(_chunk_length(u, A.shape[-1]), _kept_tokens(u, A.shape[-1]))
    chunks = _split(u, dt, B, C, A.to(dtype), tokens)
    g_chunks = _split_one(g, tokens)

    h = _entering_states(chunks)
    grad_h = _entering_gradients(chunks, g_chunks)
    grad_input, grad_dt = torch.empty_like(chunks.input), torch.empty_like(chunks.dt)
    grad_B, grad_C = torch.empty_like(chunks.B), torch.empty_like(chunks.C)
    grad_A = torch.zeros_like(chunks.A)
    step = max(1, _kept_elements(u) // (tokens * h[:, :, 0].numel()))
    for start in range(0, h.shape[2], step):
        part = slice(start, start + step)
        grad_A += _chunk_gradients(
            chunks.part(part),
            g_chunks[:, :, :, part],
            h[:, :, part],
            grad_h[:, :, part],
            grad_input[:, :, :, part],
            grad_dt[:, :, :, part],
            grad_B[:, :, :, part],
            grad_C[:, :, :, part],
        )

    grad_input = _join(grad_input, length)
    grad_u = (grad_input * dt).addcmul_(D.to(dtype).unsqueeze(1), g)
    grad_delta = _join(grad_dt, length).addcmul_(grad_input, u).mul_(torch.sigmoid(pre))
    grads = SequenceGradients(
        grad_u,
        grad_delta,
        _join(grad_B, length),
        _join(grad_C, length),
        grad_A.squeeze(1).transpose(1, 2),
        (g * u).sum(dim=(0, 2)),
    )
    return contract(grads, r, x, x_dbl, dt_weight, dt_bias, A, D)


def _chunk_gradients(
    chunks: _Chunks,
    g: Tensor,
    h: Tensor,
    grad_h: Tensor,
    grad_input: Tensor,
    grad_dt: Tensor,
    grad_B: Tensor,
    grad_C: Tensor,
) -> Tensor:
    """Fills the gradients of some chunks, given the states entering them and the gradients arriving behind them.

    Returns:
        The gradient of A from these chunks, (K, 1, N, D).
    """
    tokens = len(chunks.dt)
    states = h.new_empty(tokens + 1, *h.shape)  # states[t] enters token t
    decays = h.new_empty(tokens, *h.shape)
    states[0] = h
    for t in range(tokens):
        torch.mul(chunks.dt[t].unsqueeze(-2), chunks.A, out=decays[t]).exp_()
        torch.mul(decays[t], states[t], out=states[t + 1])
        states[t + 1].addcmul_(chunks.input[t].unsqueeze(-2), chunks.B[t].unsqueeze(-1))

    grad_h = grad_h.clone()
    grad_A = torch.zeros_like(grad_h)
    grad_exponent = torch.empty_like(grad_h)
    for t in reversed(range(tokens)):
        grad_h.addcmul_(g[t].unsqueeze(-2), chunks.C[t].unsqueeze(-1))
        grad_C[t] = torch.matmul(states[t + 1], g[t].unsqueeze(-1)).squeeze(-1)
        grad_B[t] = torch.matmul(grad_h, chunks.input[t].unsqueeze(-1)).squeeze(-1)
        grad_input[t] = torch.matmul(chunks.B[t].unsqueeze(-2), grad_h).squeeze(-2)
        grad_h.mul_(decays[t])
        torch.mul(grad_h, states[t], out=grad_exponent)
        grad_A.addcmul_(grad_exponent, chunks.dt[t].unsqueeze(-2))
        grad_dt[t] = grad_exponent.mul_(chunks.A).sum(-2)
    return grad_A.sum(dim=(0, 2)).unsqueeze(1)


def _advance(h: Tensor, decay: Tensor, chunks: _Chunks, t: int) -> None:
    """Moves every chunk's state (B, K, n, N, D) past its token t, in place."""
    torch.mul(chunks.dt[t].unsqueeze(-2), chunks.A, out=decay).exp_()
    h.mul_(decay).addcmul_(chunks.input[t].unsqueeze(-2), chunks.B[t].unsqueeze(-1))


def _entering_states(chunks: _Chunks) -> Tensor:
    """Returns the state that enters each chunk, (B, K, n, N, D)."""
    h = _zero_states(chunks)
    if h.shape[2] == 1:
        return h
    decay = torch.empty_like(h)
    for t in range(len(chunks.dt)):
        _advance(h, decay, chunks, t)
    passed = _chunk_decay(chunks)
    entering = torch.zeros_like(h)
    for c in range(1, h.shape[2]):
        torch.addcmul(h[:, :, c - 1], passed[:, :, c - 1], entering[:, :, c - 1], out=entering[:, :, c])
    return entering


def _entering_gradients(chunks: _Chunks, g: Tensor) -> Tensor:
    """Returns the gradient of the state that leaves each chunk, as later chunks ask for it, (B, K, n, N, D)."""
    grad_h = _zero_states(chunks)
    if grad_h.shape[2] == 1:
        return grad_h
    decay = torch.empty_like(grad_h)
    for t in reversed(range(len(chunks.dt))):
        grad_h.addcmul_(g[t].unsqueeze(-2), chunks.C[t].unsqueeze(-1))
        torch.mul(chunks.dt[t].unsqueeze(-2), chunks.A, out=decay).exp_()
        grad_h.mul_(decay)
    passed = _chunk_decay(chunks)
    arriving = torch.zeros_like(grad_h)
    for c in reversed(range(grad_h.shape[2] - 1)):
        torch.addcmul(grad_h[:, :, c + 1], passed[:, :, c + 1], arriving[:, :, c + 1], out=arriving[:, :, c])
    return arriving


def _zero_states(chunks: _Chunks) -> Tensor:
    _tokens, batch, directions, n, channels = chunks.dt.shape
    return chunks.dt.new_zeros(batch, directions, n, chunks.A.shape[2], channels)


def _chunk_decay(chunks: _Chunks) -> Tensor:
    """Returns the product of a chunk's decays, (B, K, n, N, D)."""
    return (chunks.dt.sum(0).unsqueeze(-2) * chunks.A).exp_()


def _split(u: Tensor, dt: Tensor, B: Tensor, C: Tensor, A: Tensor, tokens: int) -> _Chunks:
    return _Chunks(
        _split_one(dt, tokens),
        _split_one(dt * u, tokens),
        _split_one(B, tokens),
        _split_one(C, tokens),
        A.transpose(1, 2).unsqueeze(1).contiguous(),
    )


def _split_one(sequences: Tensor, tokens: int) -> Tensor:
    """Returns (T, B, K, n, F) from (B, K, L, F), padded with zeros at the end: a zero step changes no state."""
    n = math.ceil(sequences.shape[2] / tokens)
    padded = F.pad(sequences, (0, 0, 0, n * tokens - sequences.shape[2]))
    return padded.unflatten(2, (n, tokens)).permute(3, 0, 1, 2, 4).contiguous()


def _join(chunks: Tensor, length: int) -> Tensor:
    return chunks.permute(1, 2, 3, 0, 4).flatten(2, 3)[:, :, :length].contiguous()


def _chunk_length(u: Tensor, d_state: int) -> int:
    """Returns the tokens of a chunk: the whole sequence where one step is large enough, about sqrt(L) at least."""
    length = u.shape[2]
    per_token = u[:, :, 0].numel() * d_state
    wanted = _STEP_ELEMENTS.get(u.device.type, _STEP_ELEMENTS["default"])
    n = min(max(1, wanted // per_token), math.isqrt(length))
    return math.ceil(length / n)


def _kept_elements(u: Tensor) -> int:
    return _KEPT_ELEMENTS.get(u.device.type, _KEPT_ELEMENTS["default"])


def _kept_tokens(u: Tensor, d_state: int) -> int:
    """Returns the longest chunk whose states, over all sequences, the backward pass may hold."""
    return max(16, _kept_elements(u) // (u[:, :, 0].numel() * d_state))


def unsupported(*_tensors: Tensor) -> list[str]:
    """Returns no reason: this backend runs wherever torch does."""
    return []


BACKEND = Backend("chunked", forward, backward, unsupported)
