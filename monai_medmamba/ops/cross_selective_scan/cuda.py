"""The fused scan for NVIDIA GPUs: every direction by index arithmetic, projections and skip inside.

``scan.cu`` says how it works. It is compiled for the sizes of a call when they first appear.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..backend import Backend
from ..nvrtc import Program, missing
from .projections import compute_dtype

_SOURCE = Path(__file__).with_name("scan.cu")
_IO = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2, torch.float64: 3}
_MAX_STATE, _MAX_RANK, _OLDEST = 64, 64, (8, 0)


class _Tile(NamedTuple):
    """How a block divides its work: ``tokens`` each for ``time_warps`` warps, on ``channel_warps`` times as many."""

    time_warps: int
    tokens: int
    channel_warps: int

    @property
    def segment(self) -> int:
        return self.time_warps * self.tokens


class _Layout(NamedTuple):
    """The sizes of a block that follow from a tile; the kernel's static assertions check the bytes."""

    channels: int
    threads: int
    forward_bytes: int
    backward_bytes: int


def _layout(tile: _Tile, states: int, rank: int, itemsize: int) -> _Layout:
    padded = max(4, 1 << (states - 1).bit_length())
    channels = tile.channel_warps * 256 // padded
    threads = 32 * tile.time_warps * tile.channel_warps
    padded_rank = -(-rank // 4) * 4
    tokens, elements = tile.segment, channels * padded
    scan = tokens * (padded_rank + 2 * padded + 2 * channels) + channels * padded_rank
    scan += tile.time_warps * (elements + channels)
    adjoint = 3 * tokens * channels + tile.time_warps * elements + tile.channel_warps * tokens * 2 * padded
    adjoint += (rank + 2) * (threads // channels) * channels
    forward = _up(itemsize * scan + 2 * 4 * tokens)
    return _Layout(channels, threads, forward, forward + _up(itemsize * adjoint))


def _up(size: int) -> int:
    return -(-size // 16) * 16


class _Call:
    """The tensors of a call as the kernels want them, and the program compiled for their sizes."""

    def __init__(self, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> None:
        dtype = x.dtype if x.dtype == x_dbl.dtype else compute_dtype(x)
        real = compute_dtype(x)
        self.inputs = [x.detach().to(dtype).contiguous(), x_dbl.detach().to(dtype).contiguous()]
        self.inputs += [tensor.detach().to(real).contiguous() for tensor in (dt_weight, dt_bias, A, D)]
        self.directions, self.channels, self.rank = dt_weight.shape
        self.states, self.batch, self.length = A.shape[-1], x.shape[0], x[0, ..., 0].numel()
        space = tuple(x.shape[1:-1])
        self.sizes = [self.batch, self.length, self.channels, *space, *([1] if len(space) == 2 else [])]
        self.dtype, self.real = dtype, real
        limit = torch.cuda.get_device_properties(x.device).shared_memory_per_block_optin
        self.tile = _tile(self.length, self.states, self.rank, real.itemsize, limit)
        self.layout = _layout(self.tile, self.states, self.rank, real.itemsize)
        self.groups = -(-self.channels // self.layout.channels)
        self.program = _program(x.device, dtype, len(space), self.states, self.rank, self.tile)

    def run(self, name: str, *tensors: Tensor | None) -> None:
        blocks = self.groups * self.directions * self.batch
        shared = self.layout.forward_bytes if name == "scan_forward" else self.layout.backward_bytes
        self.program.launch(name, blocks, self.layout.threads, shared, [*self.inputs, *tensors, *self.sizes])

    def own(self, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        return torch.empty(shape, dtype=dtype or self.real, device=self.inputs[0].device)


@functools.cache
def _tile(length: int, states: int, rank: int, itemsize: int, shared_limit: int) -> _Tile:
    """Returns the tile that leaves the fewest places of the last segment empty, of those whose block fits."""
    tiles = [_Tile(warps, 8, 1) for warps in (8, 7, 6, 5, 4, 3, 2, 1)]
    fitting = [tile for tile in tiles if _layout(tile, states, rank, itemsize).backward_bytes <= shared_limit]
    return min(fitting, key=lambda tile: (-(-length // tile.segment) * tile.segment, -tile.segment))


@functools.cache
def _program(
    device: torch.device, dtype: torch.dtype, spatial_dims: int, states: int, rank: int, tile: _Tile
) -> Program:
    layout = _layout(tile, states, rank, 8 if dtype == torch.float64 else 4)
    constants = {
        **{"IO": _IO[dtype], "DIMS": spatial_dims, "N": states, "R": rank},
        **{"W": tile.time_warps, "M": tile.tokens, "CW": tile.channel_warps, "SAVE": tile.segment},
        **{"FORWARD_SHARED": layout.forward_bytes, "BACKWARD_SHARED": layout.backward_bytes},
    }
    return Program(_SOURCE.read_text(), constants, device)


def unsupported(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> list[str]:
    """Returns every reason why the fused scan cannot run this call."""
    del x_dbl, dt_bias, D
    reasons = []
    if x.device.type != "cuda":
        reasons.append(f"needs CUDA tensors, got {x.device.type}")
    elif torch.cuda.get_device_capability(x.device) < _OLDEST:
        reasons.append(f"needs compute capability 8.0 or newer; this is {torch.cuda.get_device_name(x.device)}")
    elif missing():
        reasons.append(missing())
    if A.shape[-1] > _MAX_STATE:
        reasons.append(f"holds at most {_MAX_STATE} states per channel, got {A.shape[-1]}")
    if dt_weight.shape[-1] > _MAX_RANK:
        reasons.append(f"holds at most rank {_MAX_RANK} of the step's projection, got {dt_weight.shape[-1]}")
    return reasons


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``."""
    call = _Call(x, x_dbl, dt_weight, dt_bias, A, D)
    y = call.own(call.directions, *x.shape, dtype=call.dtype)
    call.run("scan_forward", y, None)
    return y.sum(0).to(x.dtype)


def backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the six tensors, bitwise repeatable; the states of the scan are computed again."""
    call = _Call(x, x_dbl, dt_weight, dt_bias, A, D)
    segments = -(-call.length // call.tile.segment)
    states = call.own(call.batch, call.directions, segments, call.channels, call.states)
    call.run("scan_forward", None, states)
    grad_x = call.own(call.directions, *x.shape, dtype=call.dtype)
    grad_x_dbl = call.own(call.groups, *x_dbl.shape)
    grad_A = call.own(call.batch, *A.shape)
    grad_step = call.own(call.batch, *dt_weight.shape[:2], call.rank + 2)  # of dt_weight, dt_bias, D
    grads = (grad_y.detach().to(call.dtype).contiguous(), states, grad_x, grad_x_dbl, grad_A, grad_step)
    call.run("scan_backward", *grads)
    grad_weight, grad_bias, grad_skip = grad_step.sum(0).split([call.rank, 1, 1], dim=-1)
    return (
        grad_x.sum(0).to(x.dtype),
        grad_x_dbl.sum(0).to(x_dbl.dtype),
        grad_weight.to(dt_weight.dtype).contiguous(),
        grad_bias[..., 0].to(dt_bias.dtype).contiguous(),
        grad_A.sum(0).to(A.dtype),
        grad_skip[..., 0].to(D.dtype).contiguous(),
    )


BACKEND = Backend("cuda", forward, backward, unsupported)
