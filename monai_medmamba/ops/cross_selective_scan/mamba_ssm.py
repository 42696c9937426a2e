"""The adapter to mamba-ssm's compiled scan: the four directions are spelled out, as the published network does.

Only the compiled module ``selective_scan_cuda`` is imported: the package ``mamba_ssm`` itself pulls in libraries that
this project does not need, and newer releases of it install without that module.
"""

from __future__ import annotations

import functools
from types import ModuleType

import torch
from torch import Tensor

from ..backend import Backend
from .directions import gather, scatter_sum
from .projections import SequenceGradients, Sequences, contract, expand

_MAX_STATE = 256  # MAX_DSTATE of the compiled module


@functools.cache
def _module() -> ModuleType | str:
    """Returns the compiled module, or the reason why it cannot be imported."""
    try:
        import selective_scan_cuda
    except ImportError as error:
        return (
            f"the compiled module selective_scan_cuda cannot be imported ({error}); install it on a machine with nvcc: "
            "MAMBA_FORCE_BUILD=TRUE pip install --no-build-isolation mamba-ssm==2.3.2.post1"
        )
    return selective_scan_cuda


def unsupported(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> list[str]:
    """Returns every reason why the compiled module cannot run this call."""
    del x_dbl, dt_weight, dt_bias, D
    module = _module()
    reasons = [module] if isinstance(module, str) else []
    if x.device.type != "cuda":
        reasons.append(f"needs CUDA tensors, got {x.device.type}")
    if x.dtype == torch.float64:
        reasons.append("has no float64")
    if A.shape[-1] > _MAX_STATE:
        reasons.append(f"holds at most {_MAX_STATE} states per channel, got {A.shape[-1]}")
    return reasons


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``."""
    seq = expand(x, x_dbl, dt_weight, A.shape[-1])
    y, _states = _scan(_arguments(seq, dt_bias, A, D))
    return scatter_sum(_tokens_first(y, A), tuple(x.shape[1:-1])).to(x.dtype)


def backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the six tensors; the forward scan runs again for the states it leaves behind."""
    seq = expand(x, x_dbl, dt_weight, A.shape[-1])
    arguments = _arguments(seq, dt_bias, A, D)
    _y, states = _scan(arguments)
    u, delta, a, b, c, skip, bias = arguments
    dout = _channels_first(gather(grad_y.float()))
    du, ddelta, da, db, dc, dskip, _dbias = _module().bwd(  # type: ignore[union-attr]
        u, delta, a, b, c, skip, None, bias, dout, states, None, None, True, False
    )[:7]
    grads = SequenceGradients(
        _tokens_first(du, A),
        _tokens_first(ddelta, A),
        db.float().transpose(2, 3),
        dc.float().transpose(2, 3),
        da.view_as(A),
        dskip.view_as(D),
    )
    return contract(grads, seq.r, x, x_dbl, dt_weight, dt_bias, A, D)


def _arguments(seq: Sequences, dt_bias: Tensor, A: Tensor, D: Tensor) -> tuple[Tensor, ...]:
    """Returns u, delta (B, K * D, L), A (K * D, N), B, C (B, K, N, L), skip and bias (K * D) in float32."""
    return (
        _channels_first(seq.u),
        _channels_first(seq.delta),
        A.float().flatten(0, 1).contiguous(),
        seq.B.transpose(2, 3).contiguous(),
        seq.C.transpose(2, 3).contiguous(),
        D.float().flatten().contiguous(),
        dt_bias.float().flatten().contiguous(),
    )


def _scan(arguments: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    u, delta, a, b, c, skip, bias = arguments
    y, states = _module().fwd(u, delta, a, b, c, skip, None, bias, True)[:2]  # type: ignore[union-attr]
    return y, states


def _channels_first(sequences: Tensor) -> Tensor:
    return sequences.transpose(2, 3).flatten(1, 2).contiguous()  # (B, K, L, D) -> (B, K * D, L)


def _tokens_first(rows: Tensor, A: Tensor) -> Tensor:
    return rows.unflatten(1, A.shape[:2]).transpose(2, 3)  # (B, K * D, L) -> (B, K, L, D)


BACKEND = Backend("mamba_ssm", forward, backward, unsupported)
