"""The stem: an image becomes a map of patch features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from .normalization import layer_norm
from .per_axis import per_axis

__all__ = ["PatchStem"]


class PatchStem(nn.Module):
    """Cuts an image into patches and projects each to a feature vector, then normalises it.

    Along an axis whose patches are longer than their stride, neighbours overlap; zeros around the image then keep
    the map at size / stride positions.

    Source: MedMamba (arXiv 2403.03849), section 3.1; there, patches are squares that do not overlap.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        dim: features of a patch.
        patch_size: edges of a patch in pixels, one for all axes or one for each.
        stride: pixels from a patch to the next, one for all axes or one for each; None for ``patch_size``.

    Raises:
        ValueError: a size or a stride is not a whole number of at least 1 for each axis, or a stride is larger than
            its patch, so that pixels would be left out.

    Example:
        >>> import torch
        >>> PatchStem(2, in_channels=3, dim=16)(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 8, 12, 16])
        >>> PatchStem(3, in_channels=1, dim=16, patch_size=(1, 4, 4))(torch.zeros(1, 1, 5, 32, 48)).shape
        torch.Size([1, 5, 8, 12, 16])
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        dim: int,
        patch_size: int | Sequence[int] = 4,
        stride: int | Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        size = per_axis("patch_size", patch_size, spatial_dims)
        step = size if stride is None else per_axis("patch_stride", stride, spatial_dims)
        if any(far > edge for far, edge in zip(step, size, strict=True)):
            raise ValueError(
                f"patch_stride: expected at most the patch size {size} along each axis, so that every pixel is seen, "
                f"got {step}"
            )
        self.proj = Conv[Conv.CONV, spatial_dims](in_channels, dim, kernel_size=size, stride=step)
        self.norm = nn.LayerNorm(dim)
        overlaps = [edge - far for edge, far in zip(size, step, strict=True)]
        # As F.pad wants it: the last axis first. A patch begins before its own stride's pixels by half the overlap.
        self.padding = [side for overlap in reversed(overlaps) for side in (overlap // 2, overlap - overlap // 2)]

    def forward(self, x: Tensor) -> Tensor:
        """Returns the map of patches, (B, *space / stride, dim), from an image (B, in_channels, *space).

        As a matrix product where patches do not overlap: libraries have no fast convolution for so few channels.
        Pixels beyond the last whole patch are dropped, as the convolution drops them.
        """
        if any(self.padding):
            return layer_norm(self.proj(F.pad(x, self.padding)).movedim(1, -1), self.norm)
        if any(isinstance(size, torch.SymInt) for size in x.shape[2:]):
            # A graph for every size: what is narrowed would hold for multiples of the patch alone, or for all others.
            return layer_norm(self.proj(x).movedim(1, -1), self.norm)
        patch = self.proj.kernel_size
        counts = [size // edge for size, edge in zip(x.shape[2:], patch, strict=True)]
        for axis, (count, edge) in enumerate(zip(counts, patch, strict=True)):  # (B, in_channels, h, edge, w, edge)
            x = x.narrow(2 + 2 * axis, 0, count * edge).unflatten(2 + 2 * axis, (count, edge))
        places = range(2, x.dim(), 2)
        patches = x.permute(0, *places, 1, *(place + 1 for place in places)).flatten(1 + len(counts))
        return layer_norm(F.linear(patches, self.proj.weight.flatten(1), self.proj.bias), self.norm)
