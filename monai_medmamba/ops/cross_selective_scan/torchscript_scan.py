"""The chunked scan as TorchScript keeps it: plain torch, with its loops, for graphs that load without this package.

A trace would unroll a loop for one size; what is compiled as a script stays a loop inside the traced graph, so batch
and image size stay free. It is the algorithm of the backend ``chunked`` but for the second sweep, which adds to every
token what its chunk was handed in place of scanning again: a step less for each token.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .directions import scatter_sum
from .projections import compute_dtype, expand

# State elements that one step should touch, by measurement on two threads.
_STEP_ELEMENTS = 1 << 17


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``, for ``torch.jit.trace``."""
    dtype = compute_dtype(x)
    u, delta, B, C, _r = expand(x, x_dbl, dt_weight, A.shape[-1])
    dt = F.softplus(delta + dt_bias.to(dtype).unsqueeze(1))
    y = _script()(dt, dt * u, B, C, A.to(dtype), _STEP_ELEMENTS)
    return scatter_sum(y + D.to(dtype).unsqueeze(1) * u, tuple(x.shape[1:-1])).to(x.dtype)


@functools.cache
def _script() -> Callable[..., Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, that TorchScript is no longer developed
        return torch.jit.script(scan_sequences)


def scan_sequences(dt: Tensor, entering: Tensor, B: Tensor, C: Tensor, A: Tensor, step_elements: int) -> Tensor:
    """Returns each token's result before the skip, (B, K, L, D), in the language of TorchScript.

    Args:
        dt: (B, K, L, D).
        entering: (B, K, L, D), ``dt * u``.
        B: (B, K, L, N).
        C: (B, K, L, N).
        A: (K, D, N).
        step_elements: State elements that a step should touch.
    """
    batch, directions, length, channels = dt.shape
    states = B.shape[3]
    wanted = max(1, step_elements // max(1, batch * directions * channels * states))
    chunks = max(1, min(wanted, int(math.sqrt(length))))
    tokens = (length + chunks - 1) // chunks
    steps = []
    for sequences in [dt, entering, B, C]:  # to (T, B, K, n, 1, F); a zero step beyond the end changes no state
        padded = F.pad(sequences, [0, 0, 0, chunks * tokens - length])
        split = padded.reshape(batch, directions, chunks, tokens, sequences.shape[3])
        steps.append(split.permute(3, 0, 1, 2, 4).contiguous().unsqueeze(-2))
    dt, entering, B, C = steps[0], steps[1], steps[2].transpose(-1, -2), steps[3]
    rate = A.transpose(1, 2).unsqueeze(1).contiguous()  # (K, 1, N, D)

    # Nothing that autograd may want is overwritten: the graph can be differentiated.
    h = torch.zeros([batch, directions, chunks, states, channels], dtype=dt.dtype, device=dt.device)
    results = []
    for t in range(tokens):
        h = torch.addcmul((dt[t] * rate).exp_() * h, entering[t], B[t])
        results.append(torch.matmul(C[t], h))
    if chunks > 1:
        passed = torch.exp(dt.sum(0) * rate)
        handed = [torch.zeros_like(h[:, :, 0])]
        for c in range(chunks - 1):
            handed.append(torch.addcmul(h[:, :, c], passed[:, :, c], handed[c]))
        arriving = torch.stack(handed, dim=2)
        elapsed = dt.cumsum(0)
        for t in range(tokens):
            results[t] = results[t] + torch.matmul(C[t], (elapsed[t] * rate).exp_() * arriving)
    y = torch.stack(results)
    joined = y.squeeze(-2).permute(1, 2, 3, 0, 4).reshape(batch, directions, chunks * tokens, channels)
    return joined[:, :, :length]
