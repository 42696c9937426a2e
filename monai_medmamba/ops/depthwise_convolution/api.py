"""The public function."""

from __future__ import annotations

from torch import Tensor

from ..backend import Backend
from ..map_operator import Call, MapOperator
from . import cuda, torch_convolution

KERNELS = Backend("cuda", cuda.forward, cuda.backward, cuda.unsupported)
FALLBACK = Backend("torch", torch_convolution.forward, torch_convolution.backward, lambda *_: [])
_EXAMPLES = {
    4: (Call((2, 9, 11, 20), (20, 1, 3, 3)), Call((1, 3, 33, 20), (20, 1, 3, 3))),
    5: (Call((2, 5, 3, 7, 20), (20, 1, 3, 3, 3)), Call((1, 2, 4, 19, 20), (20, 1, 3, 3, 3))),
}


def _examples(x: Tensor, weight: Tensor) -> tuple[Call, ...]:
    del weight
    return _EXAMPLES[x.dim()]


_operator = MapOperator("depthwise_convolution", KERNELS, FALLBACK, _examples)


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
        >>> import torch
        >>> conv = torch.nn.Conv2d(4, 4, 3, padding=1, groups=4)
        >>> x = torch.randn(1, 5, 7, 4)
        >>> y = depthwise_convolution(x, conv.weight, conv.bias)
        >>> torch.allclose(y, conv(x.movedim(-1, 1)).movedim(1, -1), atol=1e-6)
        True
    """
    channels, dims = x.shape[-1], x.dim() - 2
    if x.dim() not in _EXAMPLES or weight.shape != (channels, 1, *[3] * dims) or bias.shape != (channels,):
        raise ValueError(
            "expected x (B, H, W, C) or (B, H, W, Z, C), a weight (C, 1, 3, 3) or (C, 1, 3, 3, 3) and a bias (C,); got "
            f"{tuple(x.shape)}, {tuple(weight.shape)}, {tuple(bias.shape)}"
        )
    return _operator(x, weight, bias)
