"""The scan as ONNX has it: its operator Scan over tokens, and standard operators around it.

Nothing here runs in PyTorch's own inference; ``torch.onnx.export`` meets it while it looks at the network. Where a
token's states are many, a step of Scan takes one token. Where they are few, the sequence is cut into chunks that
advance together, so that a step is worth its cost: each chunk is scanned from a state of zero, a short Scan hands
states from chunk to chunk, and a last one adds to every token what its chunk was handed. Only decays are multiplied,
so nothing overflows. The number of chunks follows from channels and states alone: batch and image size stay free.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .directions import scatter_sum
from .projections import compute_dtype, expand

# State elements that a step should touch, by measurement: see docs/concepts/onnx.md.
_STEP_ELEMENTS = 172_032
# From so many state elements of one token on, a step takes one token.
_ENOUGH_ELEMENTS = 1 << 14


class _Steps(NamedTuple):
    """What Scan walks over: T steps of n chunks each."""

    dt: Tensor  # (T, n, B, K, 1, D)
    input: Tensor  # (T, n, B, K, 1, D) dt * u
    B: Tensor  # (T, n, B, K, N, 1)
    C: Tensor  # (T, n, B, K, 1, N)


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``, for ``torch.onnx.export``.

    Raises:
        RuntimeError: the exporter is the one that traces, which has no Scan.
    """
    if torch.jit.is_tracing():
        raise RuntimeError(
            "torch.onnx.export writes the scan with dynamo=True alone, its default: leave dynamo=False out"
        )
    dtype = compute_dtype(x)
    u, delta, B, C, _r = expand(x, x_dbl, dt_weight, A.shape[-1])
    pre = delta + dt_bias.to(dtype).unsqueeze(1)
    # The translation of F.softplus would add a threshold, which costs a third more.
    dt = torch.onnx.ops.symbolic("Softplus", (pre,), dtype=dtype, shape=pre.shape)  # (B, K, L, D)
    length, chunks = u.shape[2], chunk_count(A)
    tokens = (length + chunks - 1) // chunks
    if chunks > 1:
        tokens = torch.sym_max(2, tokens)  # a graph made where it is 1 would take it for 1 everywhere
    steps = _Steps(
        _split(dt, chunks, tokens).unsqueeze(-2),
        _split(dt * u, chunks, tokens).unsqueeze(-2),
        _split(B, chunks, tokens).unsqueeze(-1),
        _split(C, chunks, tokens).unsqueeze(-2),
    )
    rate = A.to(dtype).transpose(1, 2).contiguous()  # (K, N, D)
    y = _scanned(steps, rate)  # (T, n, B, K, 1, D)
    y = y.squeeze(-2).permute(2, 3, 1, 0, 4).flatten(2, 3)[:, :, :length]
    return scatter_sum(y + D.to(dtype).unsqueeze(1) * u, tuple(x.shape[1:-1])).to(x.dtype)


def chunk_count(A: Tensor) -> int:
    """Returns into how many chunks a sequence is cut, from the state matrix (K, D, N) alone."""
    elements = A.numel()
    return 1 if elements >= _ENOUGH_ELEMENTS else _STEP_ELEMENTS // elements


def _split(sequences: Tensor, chunks: int, tokens: int) -> Tensor:
    """Returns (T, n, B, K, F) from (B, K, L, F), padded with zeros at the end: a zero step changes no state."""
    if chunks > 1:
        sequences = F.pad(sequences, (0, 0, 0, chunks * tokens - sequences.shape[2]))
    return sequences.unflatten(2, (chunks, tokens)).permute(3, 2, 0, 1, 4).contiguous()


def _scanned(steps: _Steps, rate: Tensor) -> Tensor:
    """Returns each token's result before the skip, (T, n, B, K, 1, D)."""
    from torch._higher_order_ops.scan import scan  # not public in torch: nothing but an export shall depend on it

    _tokens, chunks, batch, directions, states, _one = steps.B.shape
    zero = rate.new_zeros(chunks, batch, directions, states, rate.shape[-1])

    def advance(h: Tensor, step: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        dt, entering, B, C = step
        h = torch.exp(dt * rate) * h + entering * B
        return h, C @ h

    last, y = scan(advance, zero, tuple(steps))
    if chunks == 1:
        return y

    def hand_on(h: Tensor, chunk: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        decay, own = chunk
        return decay * h + own, h.clone()

    _last, entering = scan(hand_on, zero[0], (torch.exp(steps.dt.sum(0) * rate), last))

    def correct(nothing: Tensor, step: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        elapsed, C, own = step
        return nothing.clone(), own + C @ (torch.exp(elapsed * rate) * entering)

    _nothing, y = scan(correct, rate.new_zeros(1), (steps.dt.cumsum(0), steps.C, y))
    return y
