"""Deletion and insertion: whether the pixels that a map points at are those that the network goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from monai.networks.layers import GaussianFilter
from torch import Tensor

__all__ = ["Curves", "deletion_and_insertion"]

_BLUR = 0.1  # standard deviation of the blurred picture's Gaussian, in edges of the image


@dataclass(frozen=True, eq=False)
class Curves:
    """The probability of the explained class along deletion and insertion.

    Args:
        deletion: (B, steps + 1), from the whole image to none of it: the lower, the better the map.
        insertion: (B, steps + 1), from the blurred image to the whole: the higher, the better the map.

    Example:
        >>> Curves(torch.tensor([[1.0, 0.5, 0.0]]), torch.tensor([[0.0, 1.0, 1.0]])).areas.tolist()
        [[0.5, 0.75]]
    """

    deletion: Tensor
    insertion: Tensor

    @property
    def areas(self) -> Tensor:
        """The areas under both curves over the share of pixels, (B, 2), between 0 and 1."""
        curves = torch.stack([self.deletion, self.insertion], dim=1)
        return torch.trapezoid(curves, dx=1 / (curves.shape[-1] - 1), dim=-1)


def deletion_and_insertion(
    probabilities: Callable[[Tensor], Tensor],
    x: Tensor,
    maps: Tensor,
    class_index: Tensor,
    *,
    steps: int = 32,
    batch_size: int = 64,
) -> Curves:
    """Takes pixels away, and puts them back, in the order of a map, and follows the probability of a class.

    Deletion replaces pixels by the image's mean colour, the highest of the map first. Insertion begins with the
    image blurred beyond recognition and brings back the same pixels first.

    Source: Petsiuk, Das and Saenko (arXiv 1806.07421), section 4.2.

    Args:
        probabilities: Takes images to probabilities, (n, C).
        x: Images, (B, channels, *space).
        maps: One map an image, (B, *space); only the order of its values counts.
        class_index: The explained class of each image, (B,).
        steps: Of equally many pixels, at least 1.
        batch_size: Images that go through the network together.

    Returns:
        Both curves.

    Raises:
        ValueError: The shapes do not fit, or ``steps`` is less than 1.

    Example:
        >>> brightness = lambda x: torch.stack([x.mean((1, 2, 3)), 1 - x.mean((1, 2, 3))], dim=1)
        >>> x = torch.zeros(1, 1, 8, 8).index_fill(2, torch.arange(2), 1.0)
        >>> curves = deletion_and_insertion(brightness, x, x[:, 0], torch.tensor([0]), steps=4)
        >>> [round(area, 3) for area in curves.areas[0].tolist()]
        [0.156, 0.252]
    """
    if maps.shape != (x.shape[0], *x.shape[2:]) or class_index.shape != x.shape[:1]:
        raise ValueError(
            f"expected a map and a class for each of {tuple(x.shape)} images, "
            f"got maps {tuple(maps.shape)} and classes {tuple(class_index.shape)}"
        )
    if steps < 1:
        raise ValueError(f"expected at least 1 step, got {steps}")
    flat = maps.flatten(1)
    rank = flat.argsort(dim=1, descending=True, stable=True).argsort(dim=1)  # of each pixel, 0 the highest
    shares = (rank / rank.shape[1]).reshape(maps.shape).unsqueeze(1)  # (B, 1, *space)
    empty = x.flatten(2).mean(2).reshape(*x.shape[:2], *[1] * (x.dim() - 2)).expand_as(x)
    blurred = GaussianFilter(x.dim() - 2, _BLUR * min(x.shape[2:])).to(x)(x)
    cuts = torch.arange(steps + 1, device=x.device) / steps
    curves = []
    for kept, other in ((x, empty), (x, blurred)):
        rows = []
        for image, replaced, share, index in zip(kept, other, shares, class_index, strict=True):
            done = share < cuts.reshape(-1, *[1] * (x.dim() - 1))  # (steps + 1, 1, *space)
            chosen = torch.where(done, replaced, image) if other is empty else torch.where(done, image, replaced)
            found = [probabilities(part)[:, index] for part in chosen.split(batch_size)]
            rows.append(torch.cat(found))
        curves.append(torch.stack(rows))
    return Curves(*curves)
