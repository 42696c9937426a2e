"""A sheet of images with what the classifier said about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .style import CORRECT, RULE, WRONG, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TILE = 1.9  # inches
PAPER = 0.96  # grey around an image that is not square


@styled
def examples_figure(
    images: Sequence[npt.ArrayLike], titles: Sequence[str], correct: Sequence[bool], columns: int = 5
) -> Figure:
    r"""Return a grid of images, each under its title, the wrongly classified ones in a heavy frame.

    Args:
        images: shape (H, W, 3) or (H, W) each, uint8 or floating point in [0, 1]; sizes may differ.
        titles: one text an image, lines parted by newlines; set left above it.
        correct: whether each prediction is right.
        columns: images in a row.

    Returns:
        A figure that belongs to no window.

    Raises:
        ValueError: when there is no image, the lists differ in length, or an image has another shape.

    Example:
        >>> import numpy as np
        >>> figure = examples_figure([np.zeros((8, 8, 3))], ["polyp\nas normal 61%"], [False])
        >>> figure.axes[0].get_title(loc="left")
        'polyp\nas normal 61%'
    """
    from matplotlib.figure import Figure

    if not images or not len(images) == len(titles) == len(correct):
        raise ValueError(
            f"expected as many images as titles and flags, one at least, got {len(images)} images, "
            f"{len(titles)} titles and {len(correct)} flags"
        )
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    lines = max(title.count("\n") + 1 for title in titles)
    figure = Figure(figsize=(TILE * columns + 0.2, (TILE + 0.15 * lines) * rows + 0.2), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, image, title, right in zip(grid, images, titles, correct, strict=False):
        _draw(axes, np.asarray(image), title, right)
    for axes in grid[len(images) :]:
        axes.set_visible(False)
    return figure


def _draw(axes: Axes, image: npt.NDArray, title: str, right: bool) -> None:
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f"expected an image of shape (H, W) or (H, W, 3), got {image.shape} for {title!r}")
    white = 255 if image.dtype == np.uint8 else 1
    axes.imshow(_on_square(image, white), cmap="gray", vmin=0, vmax=white)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set(color=RULE if right else WRONG, linewidth=0.8 if right else 3)
    axes.set_title(title, fontsize=8, fontweight="normal", color=CORRECT if right else WRONG, linespacing=1.25)


def _on_square(image: npt.NDArray, white: int) -> npt.NDArray:
    """Return the image centred on a square, so that all tiles are alike."""
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.full((side, side, *image.shape[2:]), PAPER * white, dtype=image.dtype)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square
