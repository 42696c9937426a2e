"""Normalisation: of layers, in the dtype of mixed precision; of batches, fixed for inference."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import ops

__all__ = ["ScaleShift", "layer_norm"]


def layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """Returns a normalised map, in autocast's dtype where autocast is on.

    Autocast itself answers in float32, so that every map between the layers would be twice as large. The statistics
    are computed in float32 either way.

    Args:
        x: a map, channels last.
        norm: the layer whose weights are applied.

    Returns:
        The shape of ``x``.

    Example:
        >>> layer_norm(torch.zeros(1, 2, 3, 8), nn.LayerNorm(8)).shape
        torch.Size([1, 2, 3, 8])
    """
    kind = x.device.type
    autocast = torch.is_autocast_enabled(kind)
    dtype = torch.get_autocast_dtype(kind) if autocast else x.dtype
    if _has_kernels(x, norm):
        return ops.layer_norm(x.to(dtype), norm.weight, norm.bias)
    if not autocast:
        return norm(x)
    with torch.autocast(kind, enabled=False):
        return F.layer_norm(x.to(dtype), norm.normalized_shape, norm.weight.to(dtype), norm.bias.to(dtype), norm.eps)


def _has_kernels(x: Tensor, norm: nn.LayerNorm) -> bool:
    """Tells whether an operator of ours is quicker than torch's: not where a compiler joins that with others."""
    graph = torch.compiler.is_compiling() or torch.jit.is_tracing() or torch.onnx.is_in_onnx_export()
    return x.is_cuda and norm.eps == ops.LAYER_NORM_EPSILON and not graph


class ScaleShift(nn.Module):
    """A batch normalisation whose statistics no longer change: one multiplication and one addition.

    It stands before a convolution that pads with zeros, into which it cannot be folded: the border would see the
    shift where it has to see zero.

    Args:
        norm: the normalisation, with running statistics.

    Example:
        >>> norm = nn.BatchNorm2d(4).eval()
        >>> x = torch.randn(1, 4, 5, 5)
        >>> torch.allclose(ScaleShift(norm)(x), norm(x), atol=1e-6)
        True
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm) -> None:
        super().__init__()
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("expected a batch normalisation with running statistics")
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        self.register_buffer("scale", scale.detach())
        self.register_buffer("shift", shift.detach())

    def forward(self, x: Tensor) -> Tensor:
        """Returns the normalised map, (B, C, *space), dense in the order of the axes of ``x`` in memory."""
        shape = (-1, *[1] * (x.dim() - 2))
        return torch.addcmul(self.shift.view(shape), x, self.scale.view(shape))
