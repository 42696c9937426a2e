"""Between stages: every cell of neighbours becomes one position with twice the features."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from .normalization import layer_norm

__all__ = ["PatchDownsample"]


class PatchDownsample(nn.Module):
    """Joins the 2 x 2 (x 2) neighbours of a map, normalises them and reduces them to twice the features.

    An odd last row, column or slice is dropped, as the published network does; MONAI's ``PatchMergingV2`` pads it.

    Source: MedMamba (arXiv 2403.03849), section 3.1, after Swin Transformer (arXiv 2103.14030).

    Args:
        spatial_dims: 2 or 3.
        dim: features coming in; twice as many go out.

    Example:
        >>> PatchDownsample(2, dim=8)(torch.zeros(1, 5, 6, 8)).shape
        torch.Size([1, 2, 3, 16])
    """

    def __init__(self, spatial_dims: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2**spatial_dims * dim)
        self.reduction = nn.Linear(2**spatial_dims * dim, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the halved map, (B, *space / 2, 2 * dim), from (B, *space, dim)."""
        spatial_dims = x.dim() - 2
        # The first spatial axis varies fastest among the joined neighbours, as in the published network.
        corners = [offsets[::-1] for offsets in itertools.product((0, 1), repeat=spatial_dims)]
        ends = [size // 2 * 2 for size in x.shape[1:-1]]
        cells = [
            x[(slice(None), *(slice(first, end, 2) for first, end in zip(corner, ends, strict=True)))]
            for corner in corners
        ]
        return self.reduction(layer_norm(torch.cat(cells, dim=-1), self.norm))
