"""The layer normalisation for NVIDIA GPUs: ``layer_norm.cu`` says how it works."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor

from ..cross_selective_scan.projections import compute_dtype
from ..nvrtc import KINDS, NUMBERS, Program, lacking, parameter_dtype

_SOURCE = Path(__file__).with_name("layer_norm.cu")
_THREADS, _LANES = 256, (2, 4, 8, 16, 32)
_BLOCKS = 2  # of the gradients, that a multiprocessor should get
MOST = 1024  # channels: those of a position must fit the registers of a warp


def _lanes(groups: int) -> int:
    """Returns how many lanes share a position: the most among those that leave the fewest without work."""
    return min(_LANES, key=lambda n: (-(-groups // n) * n, -n))


@functools.cache
def _program(device: torch.device, dtype: torch.dtype, parameters: torch.dtype, channels: int, loaded: int) -> Program:
    constants = {
        "IO": KINDS[dtype],
        "PARAM_IO": int(parameters == dtype),
        "C": channels,
        "V": loaded,
        "G": _lanes(channels // loaded),
    }
    return Program(NUMBERS.read_text() + _SOURCE.read_text(), constants, device)


def _positions(x: Tensor) -> Tensor:
    """Returns a map as (positions, C), without copying it where its positions lie at one distance from each other."""
    x = x.detach()
    try:
        flat = x.view(-1, x.shape[-1])
    except RuntimeError:
        flat = x.reshape(-1, x.shape[-1])
    return flat if flat.stride(1) == 1 else flat.contiguous()


def _loaded(x: Tensor, *others: Tensor) -> int:
    """Returns how many channels can be loaded at once: they divide every row, and what it begins with."""
    ends = [x.shape[1], x.stride(0), *(t.data_ptr() // t.element_size() for t in (x, *others))]
    return next(v for v in (4, 2, 1) if all(end % v == 0 for end in ends))


def unsupported(x: Tensor, weight: Tensor, bias: Tensor) -> list[str]:
    """Returns every reason why the kernels cannot run this call."""
    del weight, bias
    reasons = lacking(x)
    if x.shape[-1] > MOST:
        reasons.append(f"holds at most {MOST} channels, got {x.shape[-1]}")
    return reasons


def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Returns the normalised map, contiguous, in its dtype; computed in float32 or wider."""
    flat, y = _positions(x), torch.empty(x.shape, dtype=x.dtype, device=x.device)
    dtype = parameter_dtype(x, weight)
    scale, shift = (tensor.detach().to(dtype).contiguous() for tensor in (weight, bias))
    loaded = _loaded(flat, scale, shift)
    lanes = _lanes(flat.shape[1] // loaded)
    program = _program(x.device, x.dtype, dtype, flat.shape[1], loaded)
    blocks = -(-len(flat) * lanes // _THREADS)
    program.launch("normalise", blocks, _THREADS, 0, [flat, scale, shift, y, len(flat), flat.stride(0)])
    return y


def backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients of the map, of the weight and of the bias, bitwise repeatable."""
    flat, grad_x = _positions(x), torch.empty(x.shape, dtype=x.dtype, device=x.device)
    grad_y = grad_y.detach().to(x.dtype).contiguous()
    real, dtype = compute_dtype(x), parameter_dtype(x, weight)
    scale, channels = weight.detach().to(dtype).contiguous(), flat.shape[1]
    loaded = _loaded(flat, scale, grad_y)
    lanes = _lanes(channels // loaded)
    most = _BLOCKS * torch.cuda.get_device_properties(x.device).multi_processor_count
    blocks = min(most, -(-len(flat) * lanes // _THREADS))
    sums = torch.empty(blocks, 2, channels, dtype=real, device=x.device)
    arguments: list[Tensor | int | None] = [flat, grad_y, scale, grad_x, sums, blocks, len(flat), flat.stride(0)]
    program = _program(x.device, x.dtype, dtype, channels, loaded)
    program.launch("differentiate", blocks, _THREADS, 2 * channels * real.itemsize, arguments)
    of_weight, of_bias = sums.sum(0)
    return grad_x, of_weight.to(weight.dtype), of_bias.to(bias.dtype)
