"""The block of MedMamba: convolutions on one half of the channels, a selective scan on the other."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from monai.networks.layers import DropPath
from monai.networks.layers.factories import Conv, Norm
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .normalization import ScaleShift, layer_norm
from .recomputation import recomputed
from .small_maps import convolve_as_product, is_small
from .ss_nd import SS2D, SS3D

__all__ = ["SSConvSSM"]

_SCANS = {2: SS2D, 3: SS3D}
_CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


class SSConvSSM(nn.Module):
    """Splits the channels in two, convolves one half, scans the other, interleaves both and adds the input.

    Source: MedMamba (arXiv 2403.03849), section 3.3 and figure 3.

    Args:
        spatial_dims: 2 or 3.
        dim: features of a position, even.
        d_state: states per channel of the scan.
        drop_path: probability of dropping the scan half of a sample in training, in [0, 1).
        backend: of the scan; see :func:`monai_medmamba.ops.cross_selective_scan`.
        use_checkpoint: in training, keep no map inside the block but compute it again in the backward pass.

    Raises:
        ValueError: ``dim`` is odd, or ``spatial_dims`` is neither 2 nor 3.

    Example:
        >>> SSConvSSM(2, dim=16)(torch.randn(1, 5, 7, 16)).shape
        torch.Size([1, 5, 7, 16])
    """

    def __init__(
        self,
        spatial_dims: int,
        dim: int,
        d_state: int = 16,
        drop_path: float = 0.0,
        backend: str | None = None,
        use_checkpoint: bool = False,
    ) -> None:
        super().__init__()
        if spatial_dims not in _SCANS:
            raise ValueError(f"spatial_dims: expected 2 or 3, got {spatial_dims}")
        if dim % 2:
            raise ValueError(f"dim: expected an even number of channels, for two halves, got {dim}")
        half = dim // 2
        conv, norm = Conv[Conv.CONV, spatial_dims], Norm[Norm.BATCH, spatial_dims]
        self._memory_format = _CHANNELS_LAST[spatial_dims]
        self.conv_branch = nn.Sequential(
            norm(half),
            conv(half, half, 3, padding=1),
            norm(half),
            nn.ReLU(),
            conv(half, half, 3, padding=1),
            norm(half),
            nn.ReLU(),
            conv(half, half, 1),
            nn.ReLU(),
        )
        self.norm = nn.LayerNorm(half)
        self.ssm = _SCANS[spatial_dims](half, d_state=d_state, backend=backend)
        self.drop_path = DropPath(drop_path)
        self.use_checkpoint = use_checkpoint

    def forward(self, x: Tensor) -> Tensor:
        """Returns the new map, (B, *space, dim), from a map (B, *space, dim)."""
        again = self.use_checkpoint and self.training
        left, right = recomputed(again, self._branches, x, statistics_of=self.conv_branch)
        # What is random stays outside: the state of random numbers cannot be set back inside a CUDA graph.
        right = self.drop_path(right)
        return torch.stack([left, right], dim=-1).flatten(-2) + x  # channels interleaved: left, right, left, ...

    def _branches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        left, right = x.chunk(2, dim=-1)
        return self._convolve(left.movedim(-1, 1)).movedim(1, -1), self.ssm(layer_norm(right, self.norm))

    def fuse(self) -> None:
        """Folds the normalisations of the convolutions for inference, in place: see ``MedMamba.fuse``."""
        layers: list[Any] = list(self.conv_branch)
        first, conv, second, _, next_conv, third, *_ = layers
        self.conv_branch[0] = ScaleShift(first)
        self.conv_branch[1], self.conv_branch[2] = fuse_conv_bn_eval(conv, second), nn.Identity()
        self.conv_branch[4], self.conv_branch[5] = fuse_conv_bn_eval(next_conv, third), nn.Identity()
        self.ssm.freeze()

    def _convolve(self, x: Tensor) -> Tensor:
        layers: list[Any] = list(self.conv_branch)
        first, *convolutions, pointwise, activation = layers
        # What scales and shifts writes a dense map by itself.
        x = first(x if isinstance(first, ScaleShift) else x.contiguous(memory_format=self._memory_format))
        product = is_small(x.movedim(1, -1), self.training)
        for layer in convolutions:
            if product and isinstance(layer, nn.Conv2d | nn.Conv3d):
                x = convolve_as_product(layer, x.movedim(1, -1)).movedim(-1, 1)
            else:
                x = layer(x)
        # As a matrix product: torch has no fast convolution of one position for every processor and map.
        weight = pointwise.weight.flatten(1)
        return activation(F.linear(x.movedim(1, -1), weight, pointwise.bias)).movedim(-1, 1)
