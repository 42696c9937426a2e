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
from ..nvrtc import KINDS, NUMBERS, Program, lacking
from .projections import compute_dtype

_SOURCE, _SUMS = (Path(__file__).with_name(name) for name in ("scan.cu", "sum_maps.cu"))
_MAX_STATE, _MAX_RANK = 64, 64
_SUM_THREADS, _JOINED = 256, 64
_BUSY = 6  # warps that a multiprocessor needs to be busy with
_FILLED, _PART = 8, 3  # warps that chunks must give a multiprocessor, to be worth scanning twice; in long directions
_FORWARD_WAVE, _WAVE, _LEAST = 16, 12, 32  # warps that it holds at a time; tokens of a chunk
_LONG, _SHORT = 2048, 512  # tokens of a direction from which on chunks pay forward, by how the warps share time


class _Tile(NamedTuple):
    """How a block divides its work: ``tokens`` each for ``time_warps`` warps, on ``channel_warps`` times as many."""

    time_warps: int
    tokens: int
    channel_warps: int
    blocks: int  # that a multiprocessor should hold at a time

    @property
    def segment(self) -> int:
        return self.time_warps * self.tokens


class _Kernel(NamedTuple):
    """A compiled kernel, and the sizes of its blocks that follow from the tile."""

    program: Program
    tile: _Tile
    channels: int
    shared_bytes: int


def _shared_bytes(tile: _Tile, states: int, rank: int, itemsize: int, backward: bool, ends: int = 0) -> int:
    """Returns the shared memory of a block; a static assertion of the kernel checks it."""
    padded, channels = _padded(states), _width(tile.channel_warps, states)
    padded_rank = -(-rank // 4) * 4
    tokens, elements = tile.segment, channels * padded
    scan = tokens * (padded_rank + 2 * padded + 2 * channels) + channels * (padded_rank + 2)
    scan += tile.time_warps * (elements + channels)
    adjoint = 2 * tokens * channels + tile.time_warps * elements + tile.channel_warps * tokens * 2 * padded
    adjoint += (rank + 2) * max(32 * tile.time_warps * tile.channel_warps, channels)
    forward = _up(itemsize * scan + 3 * 4 * tokens)
    if backward:
        return forward + _up(itemsize * adjoint)
    return forward + itemsize * tokens * channels if ends == 2 else forward


def _padded(states: int) -> int:
    return max(4, 1 << (states - 1).bit_length())


def _width(channel_warps: int, states: int) -> int:
    return channel_warps * 256 // _padded(states)


def _up(size: int) -> int:
    return -(-size // 16) * 16


class _Tiles(NamedTuple):
    """The tiles of a call: for the result, for the states that the backward pass wants, and for the backward pass."""

    result: _Tile
    states: _Tile
    backward: _Tile
    chunks: tuple[int, int] = (1, 1)  # in which the forward and the backward pass cut a direction, at most


def _serial(channels: int, states: int) -> tuple[_Tile, _Tile]:
    """Returns the tiles, forward and backward, of warps that walk a direction or a chunk of it by themselves."""
    width = min((3, 2, 1), key=lambda w: (-(-channels // _width(w, states)) * _width(w, states), -w))
    return _Tile(1, 16, min(width, 2), _FORWARD_WAVE // min(width, 2)), _Tile(1, 8, width, _WAVE // width)


@functools.cache
def _tiles(
    rows: int, length: int, channels: int, states: int, rank: int, itemsize: int, device: torch.device
) -> _Tiles:
    """Returns the tiles that were fastest on a Hopper GPU for calls like this one, and that fit the device.

    ``rows`` counts images times directions. Where images and channels alone give too few warps, time is shared among
    more of them, and a long direction is cut into chunks.
    """
    properties = torch.cuda.get_device_properties(device)
    busy = rows * -(-channels * _padded(states) // 256)  # warps, if each scans all tokens
    filled, part = (warps * properties.multi_processor_count for warps in (_FILLED, _PART))
    time_warps = next((w for w in (1, 2, 4, 8) if w * busy >= _BUSY * properties.multi_processor_count), 16)
    serial, backward = _serial(channels, states)

    def shared(warps: int, blocks: int) -> _Tile:
        return _Tile(warps, 8, 1, max(1, blocks // warps))

    def chunks(warps: int) -> int:
        return max(1, min(warps * properties.multi_processor_count // busy, length // _LEAST))

    if itemsize == 8:
        long = _Tile(1, 8, 1, 1)
        tiles = _Tiles(long, long, _Tile(1, 4, 1, 1))
    elif time_warps == 1:
        tiles = _Tiles(serial, serial, backward)
    else:
        forward_chunks, backward_chunks = chunks(_FORWARD_WAVE), chunks(_WAVE)
        if length >= _LONG and forward_chunks * busy >= filled:
            result = serial
        elif time_warps == 16 and length >= _SHORT:
            result, forward_chunks = shared(4, 16), min(24, length // 64)
        else:
            result, forward_chunks = shared(time_warps, 16), 1
        if backward_chunks > 1 and backward_chunks * busy >= (part if length >= _LONG else filled):
            tiles = _Tiles(result, serial, backward, (forward_chunks, backward_chunks))
        else:
            kept = min(time_warps, 8)
            tiles = _Tiles(result, shared(kept, 16), shared(kept, 8), (forward_chunks, 1))
    limit = properties.shared_memory_per_block_optin  # type: ignore[attr-defined]
    kinds = ((tiles.result, False), (tiles.states, False), (tiles.backward, True))
    fits = all(_shared_bytes(tile, states, rank, itemsize, backward, 2) <= limit for tile, backward in kinds)
    small = _Tile(1, 4, 1, 1)
    return tiles if fits else _Tiles(small, small, small)


class _Chunks(NamedTuple):
    """The chunks of a call's directions, and what each begins with."""

    number: int
    tokens: int
    begins: Tensor | None  # (1, B, K, number, D, N): of the states; or (2, ...): and of the adjoint


class _Call:
    """The tensors of a call as the kernels want them."""

    def __init__(self, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> None:
        self.dtype = x.dtype if x.dtype == x_dbl.dtype else compute_dtype(x)
        self.real = compute_dtype(x)
        self.inputs = [x.detach().to(self.dtype).contiguous(), x_dbl.detach().to(self.dtype).contiguous()]
        self.inputs += [tensor.detach().to(self.real).contiguous() for tensor in (dt_weight, dt_bias, A, D)]
        self.directions, self.channels, self.rank = dt_weight.shape
        self.states, self.batch, self.length = A.shape[-1], x.shape[0], x[0, ..., 0].numel()
        self.space = tuple(x.shape[1:-1])
        rows, itemsize = self.batch * self.directions, self.real.itemsize
        self.tiles = _tiles(rows, self.length, self.channels, self.states, self.rank, itemsize, x.device)

    def kernel(self, which: str, ends: int = 0) -> _Kernel:
        """Returns the kernel for one of the fields of the call's tiles, or the one for the ends of its chunks."""
        tile: _Tile = getattr(self.tiles, which)
        backward, whole = which == "backward", self.channels % 4 == 0
        save = self.tiles.backward.segment if which != "result" and not ends else tile.segment
        device, dims = self.inputs[0].device, len(self.space)
        return _compiled(device, self.dtype, dims, self.states, self.rank, tile, save, backward, whole, ends)

    def run(self, kernel: _Kernel, name: str, *arguments: Tensor | int | None, chunks: int) -> None:
        sizes = (self.batch, self.length, self.channels, *self.space, *([1] if len(self.space) == 2 else []))
        blocks = -(-self.channels // kernel.channels) * self.directions * self.batch * chunks
        threads = 32 * kernel.tile.time_warps * kernel.tile.channel_warps
        kernel.program.launch(name, blocks, threads, kernel.shared_bytes, [*self.inputs, *arguments, *sizes])

    def cut(self, grad_y: Tensor | None = None) -> _Chunks:
        """Cuts the directions for the forward pass or, where the result's gradient is given, for the backward pass."""
        backward = grad_y is not None
        tiles = (self.tiles.states, self.tiles.backward) if backward else (self.tiles.result,)
        unit = max(tile.segment for tile in tiles)
        tokens = -(-self.length // (self.tiles.chunks[backward] * unit)) * unit
        count = -(-self.length // tokens)
        if count == 1:
            return _Chunks(1, tokens, None)
        ends = self.own(1 + backward, self.batch, self.directions, count, self.channels, self.states)
        steps = self.own(*ends.shape[1:-1])
        kernel = self.kernel("states", 2) if backward else self.kernel("result", 1)
        arguments = (grad_y, None, None, ends, steps, tokens)
        self.run(kernel, "scan_forward", *arguments, chunks=count if backward else count - 1)
        blocks = -(-ends[0, ..., 0, :, :].numel() // _JOINED)
        A = self.inputs[4]
        kernel.program.launch("join_ends", blocks, _JOINED, 0, [A, ends, steps, count, self.batch, self.channels])
        return _Chunks(count, tokens, ends)

    def own(self, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        return torch.empty(shape, dtype=dtype or self.real, device=self.inputs[0].device)


@functools.cache
def _compiled(
    device: torch.device,
    dtype: torch.dtype,
    spatial_dims: int,
    states: int,
    rank: int,
    tile: _Tile,
    save: int,
    backward: bool,
    whole: bool,
    ends: int,
) -> _Kernel:
    shared_bytes = _shared_bytes(tile, states, rank, 8 if dtype == torch.float64 else 4, backward, ends)
    constants = {
        **{"BACKWARD": int(backward), "IO": KINDS[dtype], "DIMS": spatial_dims, "N": states, "R": rank},
        **{"W": tile.time_warps, "M": tile.tokens, "CW": tile.channel_warps, "BLOCKS": tile.blocks},
        **{"SAVE": save, "SHARED": shared_bytes, "WHOLE": int(whole), "ENDS": ends},
    }
    program = Program(NUMBERS.read_text() + _SOURCE.read_text(), constants, device)
    return _Kernel(program, tile, _width(tile.channel_warps, states), shared_bytes)


@functools.cache
def _summing(device: torch.device, read: torch.dtype, written: torch.dtype, values: int) -> Program:
    return Program(_SUMS.read_text(), {"FROM": KINDS[read], "TO": KINDS[written], "V": values}, device)


def _sum(maps: Tensor, dtype: torch.dtype) -> Tensor:
    """Returns the sum over the first axis, computed in float32 or wider."""
    total = torch.empty(maps.shape[1:], dtype=dtype, device=maps.device)
    values = 8 if total.numel() % 8 == 0 else 1
    size = total.numel() // values
    _summing(maps.device, maps.dtype, dtype, values).launch(
        "sum_maps", -(-size // _SUM_THREADS), _SUM_THREADS, 0, [maps, total, len(maps), size]
    )
    return total


def unsupported(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> list[str]:
    """Returns every reason why the fused scan cannot run this call."""
    del x_dbl, dt_bias, D
    reasons = lacking(x)
    if A.shape[-1] > _MAX_STATE:
        reasons.append(f"holds at most {_MAX_STATE} states per channel, got {A.shape[-1]}")
    if dt_weight.shape[-1] > _MAX_RANK:
        reasons.append(f"holds at most rank {_MAX_RANK} of the step's projection, got {dt_weight.shape[-1]}")
    return reasons


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``."""
    call = _Call(x, x_dbl, dt_weight, dt_bias, A, D)
    y = call.own(call.directions, *x.shape, dtype=call.dtype)
    chunks = call.cut()
    arguments = (None, y, None, chunks.begins, None, chunks.tokens)
    call.run(call.kernel("result"), "scan_forward", *arguments, chunks=chunks.number)
    return _sum(y, x.dtype)


def backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the six tensors, bitwise repeatable; the states of the scan are computed again."""
    call = _Call(x, x_dbl, dt_weight, dt_bias, A, D)
    kernel = call.kernel("backward")
    grad_y = grad_y.detach().to(call.dtype).contiguous()
    chunks = call.cut(grad_y)
    states = call.own(call.batch, call.directions, -(-call.length // kernel.tile.segment), call.channels, call.states)
    of_states, of_adjoint = (None, None) if chunks.begins is None else chunks.begins
    arguments = (None, None, states, of_states, None, chunks.tokens)
    call.run(call.kernel("states"), "scan_forward", *arguments, chunks=chunks.number)
    grad_x = call.own(call.directions, *x.shape, dtype=call.dtype)
    grad_x_dbl = call.own(-(-call.channels // kernel.channels), *x_dbl.shape, dtype=call.dtype)
    grad_A = call.own(chunks.number * call.batch, *A.shape)
    grad_step = call.own(chunks.number * call.batch, *dt_weight.shape[:2], call.rank + 2)  # of dt_weight, dt_bias, D
    grads = (grad_y, states, grad_x, grad_x_dbl, grad_A, grad_step)
    call.run(kernel, "scan_backward", *grads, of_adjoint, chunks.tokens, chunks=chunks.number)
    del states, arguments, grads  # the largest of them is given back before the sums need memory
    grad_weight, grad_bias, grad_skip = grad_step.sum(0).split([call.rank, 1, 1], dim=-1)
    return (
        _sum(grad_x, x.dtype),
        _sum(grad_x_dbl, x_dbl.dtype),
        grad_weight.to(dt_weight.dtype),
        grad_bias[..., 0].to(dt_bias.dtype),
        grad_A.sum(0).to(A.dtype),
        grad_skip[..., 0].to(D.dtype),
    )


BACKEND = Backend("cuda", forward, backward, unsupported)
