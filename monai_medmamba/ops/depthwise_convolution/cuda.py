"""The depthwise convolution for NVIDIA GPUs: ``convolution.cu`` says how it works."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..cross_selective_scan.projections import compute_dtype
from ..nvrtc import KINDS, NUMBERS, Program, lacking, parameter_dtype

_SOURCE = Path(__file__).with_name("convolution.cu")
_THREADS, _ROW = 256, 4  # threads of a block, and positions that each makes
_LANES, _SUMMING, _SEGMENT = (32, 16, 8), 128, 16  # of the weights' gradient: see the kernel
_BLOCKS = 3  # of it, that a multiprocessor should get


class _Sizes(NamedTuple):
    """How the kernels divide the channels: what the compiler is told."""

    lanes: int
    loaded: int  # channels at once
    summed: int

    @property
    def groups(self) -> int:
        """Channels of a block that sums."""
        return self.lanes * self.summed


def _sizes(channels: int) -> _Sizes:
    loaded, summed = (next(v for v in (most, 2, 1) if v <= most and channels % v == 0) for most in (4, 2))
    groups = channels // summed
    lanes = min(_LANES, key=lambda n: (-(-groups // n) * n, -n))  # the fewest without work
    return _Sizes(lanes, loaded, summed)


@functools.cache
def _program(
    device: torch.device, dtype: torch.dtype, parameters: torch.dtype, spatial_dims: int, sizes: _Sizes
) -> Program:
    constants = {"IO": KINDS[dtype], "PARAM_IO": int(parameters == dtype), "KZ": 3 if spatial_dims == 3 else 1}
    constants |= {"V": sizes.loaded, "VW": sizes.summed, "LANES": sizes.lanes}
    return Program(NUMBERS.read_text() + _SOURCE.read_text(), constants, device)


def _ready(x: Tensor) -> Tensor:
    """Returns a tensor in the kernels' layout, beginning where several channels can be loaded at once."""
    x = x.detach().contiguous()
    return x if x.data_ptr() % 16 == 0 else x.clone()


def _space(x: Tensor) -> tuple[int, int, int, int]:
    """Returns channels, slices, rows and columns."""
    depth = x.shape[1] if x.dim() == 5 else 1
    return x.shape[-1], depth, x.shape[-3], x.shape[-2]


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, turned: bool) -> Tensor:
    x, y = _ready(x), torch.empty(x.shape, dtype=x.dtype, device=x.device)
    channels, depth, height, width = _space(x)
    sizes = _sizes(channels)
    dtype = parameter_dtype(x, weight)
    taps = weight.detach().to(dtype).flatten(1).t().contiguous()
    shift = None if bias is None else _ready(bias.to(dtype))
    items = channels // sizes.loaded * (x.numel() // channels // width) * -(-width // _ROW)
    arguments: list[Tensor | int | None]
    arguments = [x, taps, shift, y, int(turned), items, channels, depth, height, width]
    program = _program(x.device, x.dtype, dtype, x.dim() - 2, sizes)
    program.launch("convolve", -(-items // _THREADS), _THREADS, 0, arguments)
    return y


def unsupported(x: Tensor, weight: Tensor, bias: Tensor) -> list[str]:
    """Returns every reason why the kernels cannot run this call."""
    del weight, bias
    return lacking(x)


def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Returns the convolution of a map, (B, *space, C) in its dtype, computed in float32 or wider."""
    return _convolve(x, weight, bias, turned=False)


def backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients of the map, of the weight and of the bias, bitwise repeatable."""
    grad_y, x = _ready(grad_y.to(x.dtype)), _ready(x)
    channels, depth, height, width = _space(x)
    sizes = _sizes(channels)
    segments = -(-width // _SEGMENT)
    units, across = x.numel() // channels // width * segments, -(-channels // sizes.groups)
    blocks = _BLOCKS * torch.cuda.get_device_properties(x.device).multi_processor_count
    parts = max(1, min(blocks // across, -(-units * sizes.lanes // _SUMMING)))
    taps, real = weight[0].numel(), compute_dtype(x)
    sums = torch.empty(parts, taps + 1, channels, dtype=real, device=x.device)
    arguments: list[Tensor | int | None]
    arguments = [x, grad_y, sums, parts, units, segments, channels, depth, height, width]
    program = _program(x.device, x.dtype, parameter_dtype(x, weight), x.dim() - 2, sizes)
    shared_bytes = (taps + 1) * sizes.groups * real.itemsize
    program.launch("weigh", parts * across, _SUMMING, shared_bytes, arguments)
    total = sums.sum(0)
    grad_weight = total[:-1].t().reshape(weight.shape).to(weight.dtype).contiguous()
    return _convolve(grad_y, weight, None, turned=True), grad_weight, total[-1].to(bias.dtype)
