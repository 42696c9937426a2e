"""The public function."""

from __future__ import annotations

from torch import Tensor

from ..backend import Backend
from ..map_operator import Call, MapOperator
from . import cuda, torch_norm

KERNELS = Backend("cuda", cuda.forward, cuda.backward, cuda.unsupported)
FALLBACK = Backend("torch", torch_norm.forward, torch_norm.backward, lambda *_: [])


def _examples(x: Tensor, weight: Tensor) -> tuple[Call, ...]:
    del x
    channels = len(weight)
    return Call((1, channels), (channels,)), Call((7, 61, channels), (channels,))


_operator = MapOperator("layer_norm", KERNELS, FALLBACK, _examples)


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Normalises the channels of every position to mean 0 and variance 1, then scales and shifts them.

    On a GPU by kernels that compute in float32 or wider, repeat bit by bit, and prove themselves against torch when
    they first run; elsewhere, and for more than 1024 channels, by torch's normalisation.

    Source: Layer Normalization (arXiv 1607.06450), with the 1e-5 beside the variance of ``torch.nn.LayerNorm``.

    Args:
        x: map, (..., C), any floating dtype.
        weight: (C,).
        bias: (C,).

    Returns:
        The shape and dtype of ``x``, contiguous. Differentiable once in all three tensors.

    Raises:
        ValueError: a shape does not fit.

    Example:
        >>> import torch
        >>> norm, x = torch.nn.LayerNorm(8), torch.randn(2, 3, 8)
        >>> torch.allclose(layer_norm(x, norm.weight, norm.bias), norm(x), atol=1e-6)
        True
    """
    if not x.shape or not weight.shape == bias.shape == x.shape[-1:]:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (x, weight, bias))
        raise ValueError(f"expected x (..., C), a weight and a bias (C,); got {shapes}")
    return _operator(x, weight, bias)
