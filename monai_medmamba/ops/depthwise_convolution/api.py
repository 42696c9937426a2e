"""The public function and its operator, which takes our kernels where they can run and torch's where they cannot."""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch
from torch import Tensor

from . import cuda, torch_convolution

logger = logging.getLogger(__name__)

_TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 3e-3}
_CASES = {2: ((2, 9, 11), (1, 3, 33)), 3: ((2, 5, 3, 7), (1, 2, 4, 19))}  # images, then their space
_TENSORS = "Tensor x, Tensor weight, Tensor bias"

_library = torch.library.Library("monai_medmamba", "FRAGMENT")
_library.define(f"depthwise_convolution({_TENSORS}) -> Tensor")
_library.define(f"depthwise_convolution_backward(Tensor grad_y, {_TENSORS}) -> (Tensor, Tensor, Tensor)")


def depthwise_convolution(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolves every channel of a map with a kernel of its own, 3 positions along each axis, zeros around the map.

    On a GPU by kernels that compute in float32 or wider, repeat bit by bit, and prove themselves against torch when
    they first run; elsewhere by torch's convolution.

    Args:
        x: map, (B, H, W, C) or (B, H, W, Z, C), channels last, any floating dtype.
        weight: as of ``torch.nn.Conv2d`` and ``Conv3d``, (C, 1, 3, 3) or (C, 1, 3, 3, 3).
        bias: (C,).

    Returns:
        (B, *space, C) in the dtype of ``x``, contiguous. Differentiable once in all three tensors.

    Raises:
        ValueError: a shape does not fit.

    Example:
        >>> conv = torch.nn.Conv2d(4, 4, 3, padding=1, groups=4)
        >>> x = torch.randn(1, 5, 7, 4)
        >>> y = depthwise_convolution(x, conv.weight, conv.bias)
        >>> torch.allclose(y, conv(x.movedim(-1, 1)).movedim(1, -1), atol=1e-6)
        True
    """
    channels, dims = x.shape[-1], x.dim() - 2
    if dims not in _CASES or weight.shape != (channels, 1, *[3] * dims) or bias.shape != (channels,):
        raise ValueError(
            "expected x (B, H, W, C) or (B, H, W, Z, C), a weight (C, 1, 3, 3) or (C, 1, 3, 3, 3) and a bias (C,); got "
            f"{tuple(x.shape)}, {tuple(weight.shape)}, {tuple(bias.shape)}"
        )
    return torch.ops.monai_medmamba.depthwise_convolution(x, weight, bias)


def _forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    chosen = cuda if x.numel() and _is_able(x) else torch_convolution
    with torch.autocast(x.device.type, enabled=False):
        return chosen.forward(x, weight, bias)


def _backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    chosen = cuda if x.numel() and _is_able(x) else torch_convolution
    with torch.autocast(x.device.type, enabled=False):
        return chosen.backward(grad_y, x, weight, bias)


def _is_able(x: Tensor) -> bool:
    """Tells whether the kernels can run on a map, and are right."""
    return not cuda.unsupported(x) and not _disagreement(x.device, x.dtype, x.dim() - 2)


@functools.cache
def _disagreement(device: torch.device, dtype: torch.dtype, spatial_dims: int) -> str:
    """Returns what the kernels get wrong in small calls; empty if nothing."""
    if torch.cuda.is_current_stream_capturing():
        raise RuntimeError("the first call of its kind comes inside a CUDA graph; make one call before the capture")
    try:
        found = next(filter(None, (_off(device, dtype, shape) for shape in _CASES[spatial_dims])), "")
    except RuntimeError as error:
        found = f"it failed: {error}"
    if found:
        logger.warning(
            "depthwise_convolution: the self-check of its kernels on %s for %s failed: %s; please report it. Torch's "
            "own, slower convolution serves.",
            *(device, dtype, found),
        )
    return found


def _off(device: torch.device, dtype: torch.dtype, shape: tuple[int, ...]) -> str:
    """Returns which result is off and by how much."""
    generator, channels = torch.Generator().manual_seed(0), 20
    sizes = ((*shape, channels), (*shape, channels), (channels, 1, *[3] * (len(shape) - 1)), (channels,))
    grad_y, x, weight, bias = (torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)
    call = [*(tensor.to(device, dtype) for tensor in (grad_y, x)), weight.to(device), bias.to(device)]
    exact = [tensor.double().cpu() for tensor in call]
    found = (cuda.forward(*call[1:]), *cuda.backward(*call))
    expected = (torch_convolution.forward(*exact[1:]), *torch_convolution.backward(*exact))
    for name, ours, right in zip(("y", "x", "weight", "bias"), found, expected, strict=True):
        error = (ours.double().cpu() - right).norm() / right.norm()
        if not error <= _TOLERANCE[dtype]:
            return f"{name} is off by {error:.1e} of its size"
    return ""


def _fake_forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    del weight, bias
    return torch.empty(x.shape, dtype=x.dtype, device=x.device)


def _fake_backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    del grad_y
    return tuple(torch.empty(t.shape, dtype=t.dtype, device=t.device) for t in (x, weight, bias))


def _save_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    del output
    ctx.save_for_backward(*inputs)


def _differentiate(ctx: Any, grad_y: Tensor) -> tuple[Tensor, ...]:
    return torch.ops.monai_medmamba.depthwise_convolution_backward(grad_y, *ctx.saved_tensors)


def _refuse_twice(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
    del ctx, grads
    raise NotImplementedError("depthwise_convolution is differentiable once: second derivatives are not implemented")


_NAME = "monai_medmamba::depthwise_convolution"
_library.impl("depthwise_convolution", _forward, "CompositeExplicitAutograd")
_library.impl("depthwise_convolution_backward", _backward, "CompositeExplicitAutograd")
torch.library.register_fake(_NAME, _fake_forward, lib=_library)
torch.library.register_fake(f"{_NAME}_backward", _fake_backward, lib=_library)
torch.library.register_autograd(_NAME, _differentiate, setup_context=_save_inputs, lib=_library)
torch.library.register_autograd(f"{_NAME}_backward", _refuse_twice, lib=_library)
