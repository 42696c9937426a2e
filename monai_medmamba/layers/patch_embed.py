"""The stem: an image becomes a map of patch features."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from .normalization import layer_norm

__all__ = ["PatchStem"]


class PatchStem(nn.Module):
    """Cuts an image into patches and projects each to a feature vector, then normalises it.

    Source: MedMamba (arXiv 2403.03849), section 3.1.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        dim: features of a patch.
        patch_size: edge of a patch in pixels.

    Example:
        >>> import torch
        >>> PatchStem(2, in_channels=3, dim=16)(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 8, 12, 16])
    """

    def __init__(self, spatial_dims: int, in_channels: int, dim: int, patch_size: int = 4) -> None:
        super().__init__()
        self.proj = Conv[Conv.CONV, spatial_dims](in_channels, dim, kernel_size=patch_size, stride=patch_size)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the map of patches, (B, *space / patch_size, dim), from an image (B, in_channels, *space).

        As a matrix product: libraries have no fast convolution for so few channels. Pixels beyond the last whole
        patch are dropped, as the convolution drops them.
        """
        if any(isinstance(size, torch.SymInt) for size in x.shape[2:]):
            # A graph for every size: what is narrowed would hold for multiples of the patch alone, or for all others.
            return layer_norm(self.proj(x).movedim(1, -1), self.norm)
        edge = self.proj.kernel_size[0]
        counts = [size // edge for size in x.shape[2:]]
        for axis, count in enumerate(counts):  # (B, in_channels, h, edge, w, edge)
            x = x.narrow(2 + 2 * axis, 0, count * edge).unflatten(2 + 2 * axis, (count, edge))
        places = range(2, x.dim(), 2)
        patches = x.permute(0, *places, 1, *(place + 1 for place in places)).flatten(1 + len(counts))
        return layer_norm(F.linear(patches, self.proj.weight.flatten(1), self.proj.bias), self.norm)
