"""Between stages: every cell of neighbours becomes one position with twice the features."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .normalization import layer_norm
from .per_axis import per_axis

__all__ = ["PatchDownsample", "cell_corners"]


def cell_corners(strides: Sequence[int]) -> list[tuple[int, ...]]:
    """Returns the places of a cell's neighbours in the order in which their features are joined.

    The first spatial axis varies fastest, as in the published network.

    Args:
        strides: 1 or 2 for each axis.

    Returns:
        An offset for each axis, for each neighbour.

    Example:
        >>> cell_corners((2, 2)), cell_corners((1, 2))
        ([(0, 0), (1, 0), (0, 1), (1, 1)], [(0, 0), (0, 1)])
    """
    return [offsets[::-1] for offsets in itertools.product(*(range(stride) for stride in reversed(strides)))]


class PatchDownsample(nn.Module):
    """Joins the 2 x 2 (x 2) neighbours of a map, normalises them and reduces them to twice the features.

    An axis may be left as it is, such as that of thick slices. An odd last row, column or slice is dropped, as the
    published network does; MONAI's ``PatchMergingV2`` pads it.

    Source: MedMamba (arXiv 2403.03849), section 3.1, after Swin Transformer (arXiv 2103.14030).

    Args:
        spatial_dims: 2 or 3.
        dim: features coming in; twice as many go out.
        strides: 2 along an axis that is halved, 1 along one that stays; one for all axes or one for each.

    Raises:
        ValueError: a stride is neither 1 nor 2, or none is 2.

    Example:
        >>> PatchDownsample(2, dim=8)(torch.zeros(1, 5, 6, 8)).shape
        torch.Size([1, 2, 3, 16])
        >>> PatchDownsample(3, dim=8, strides=(1, 2, 2))(torch.zeros(1, 5, 6, 6, 8)).shape
        torch.Size([1, 5, 3, 3, 16])
    """

    def __init__(self, spatial_dims: int, dim: int, strides: int | Sequence[int] = 2) -> None:
        super().__init__()
        self.strides = per_axis("merge_strides", strides, spatial_dims)
        if max(self.strides) != 2:
            raise ValueError(
                f"merge_strides: expected 2 along an axis that is halved and 1 along one that stays, with at least "
                f"one 2, got {strides}"
            )
        joined = len(cell_corners(self.strides)) * dim
        self.norm = nn.LayerNorm(joined)
        self.reduction = nn.Linear(joined, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the reduced map, (B, *space / strides, 2 * dim), from (B, *space, dim)."""
        ends = [size // stride * stride for size, stride in zip(x.shape[1:-1], self.strides, strict=True)]
        cells = [
            x[(slice(None), *(slice(*part) for part in zip(corner, ends, self.strides, strict=True)))]
            for corner in cell_corners(self.strides)
        ]
        return self.reduction(layer_norm(torch.cat(cells, dim=-1), self.norm))
