"""Classifies images and volumes larger than the network's input, window by window."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.data.utils import dense_patch_slices
from monai.inferers import Inferer
from torch import Tensor
from torch.nn import functional

__all__ = ["WindowInferer"]


class WindowInferer(Inferer):
    """Gives the logits of windows that cover the whole input, put together to one set of logits an input.

    Windows lie evenly, the last ones flush with the borders; an input smaller than a window is padded at its ends. An
    input of the window's size goes through the network as it is.

    Args:
        roi_size: The window's edges, one a spatial axis, or one for all.
        overlap: Of neighbouring windows, in parts of an edge, in [0, 1).
        batch_size: Windows that go through the network at once.
        top: How many windows count for a class: its logit is the mean of its ``top`` highest ones. None takes the mean
            of all. A finding that fills one window of many asks for few.
        padding_value: What lies around an input smaller than a window.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> inferer = WindowInferer(roi_size=32, overlap=0.5)
        >>> inferer(torch.zeros(2, 1, 64, 48, 32), lambda x: x.mean((2, 3, 4))).shape
        torch.Size([2, 1])
    """

    def __init__(
        self,
        roi_size: int | Sequence[int],
        overlap: float = 0.25,
        batch_size: int = 4,
        top: int | None = None,
        padding_value: float = 0.0,
    ) -> None:
        sizes = [roi_size] if isinstance(roi_size, int) else list(roi_size)
        if not sizes or min(sizes) < 1 or not 0 <= overlap < 1 or batch_size < 1 or (top is not None and top < 1):
            raise ValueError(
                "expected a positive roi_size, an overlap in [0, 1), and batch_size and top from 1, got "
                f"{roi_size=}, {overlap=}, {batch_size=}, {top=}"
            )
        self.sizes, self.overlap, self.batch_size, self.top = sizes, overlap, batch_size, top
        self.padding_value = padding_value

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Classifies a batch.

        Args:
            inputs: (B, C, *space).
            network: Takes (n, C, *roi_size) to logits (n, classes).
            args: Further arguments of the network.
            kwargs: Further named arguments of the network.

        Returns:
            Logits (B, classes).

        Raises:
            ValueError: The input has another number of spatial axes than ``roi_size``.
        """
        image = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        windows = self.windows(image.shape[2:])
        edges = [piece.stop - piece.start for piece in windows[0]]
        short = [max(0, edge - own) for edge, own in zip(edges, image.shape[2:], strict=True)]
        if any(short):
            ends = [(missing // 2, missing - missing // 2) for missing in reversed(short)]
            image = functional.pad(image, list(itertools.chain(*ends)), value=self.padding_value)
        logits = []
        for first in range(0, len(windows), self.batch_size):
            chosen = windows[first : first + self.batch_size]
            pieces = torch.cat([image[(slice(None), slice(None), *window)] for window in chosen])
            logits.append(network(pieces, *args, **kwargs).unflatten(0, (len(chosen), len(image))))
        found = torch.cat(logits)  # (windows, B, classes)
        if self.top is not None:
            found = found.topk(min(self.top, len(found)), dim=0).values
        return found.mean(0)

    def windows(self, space: Sequence[int]) -> list[tuple[slice, ...]]:
        """Returns where the windows lie in an input.

        Args:
            space: Its spatial shape; an edge shorter than the window counts as one of its length.

        Returns:
            A slice for each axis, for each window.

        Raises:
            ValueError: ``roi_size`` has another number of axes.
        """
        sizes = self.sizes * len(space) if len(self.sizes) == 1 else self.sizes
        if len(sizes) != len(space):
            raise ValueError(f"expected an input of {len(sizes)} spatial axes, as roi_size has, got {tuple(space)}")
        covered = [max(edge, size) for edge, size in zip(space, sizes, strict=True)]
        steps = [max(1, int(size * (1 - self.overlap))) for size in sizes]
        return dense_patch_slices(covered, sizes, steps)
