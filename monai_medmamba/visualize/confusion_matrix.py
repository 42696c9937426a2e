"""The confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .style import INK, MUTED, SEQUENTIAL, shorten, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST_NAME = 26
MOST_CLASSES_WITH_SHARES = 10


@styled
def confusion_matrix_figure(matrix: npt.ArrayLike, class_names: Sequence[str]) -> Figure:
    r"""Return a confusion matrix with counts, coloured by the share of each true class.

    Each cell shows its count; up to ten classes also the share of the row. The colour is the share, so a rare class
    reads like a frequent one. A class without images stays empty.

    Args:
        matrix: shape (C, C), non-negative counts, rows the truth and columns the prediction.
        class_names: the C class names, in the order of rows and columns.

    Returns:
        A figure that belongs to no window.

    Raises:
        ValueError: when the matrix is not square, does not fit the names or holds a negative or non-finite number.

    Example:
        >>> figure = confusion_matrix_figure([[8, 2], [1, 9]], ["normal", "polyp"])
        >>> [text.get_text() for text in figure.axes[0].texts][:2]
        ['8\n80%', '2\n20%']
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    counts = _checked(matrix, class_names)
    number = len(counts)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)

    cell = float(np.clip(7 / number, 0.42, 1.1))
    figure = Figure(figsize=(cell * number + 2.9, cell * number + 1.9), layout="constrained")
    axes = figure.add_subplot()
    colours = LinearSegmentedColormap.from_list("share", SEQUENTIAL)
    image = axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    _annotate(axes, counts, shares, size=4.5 + 5.5 * cell)

    names = [shorten(name, LONGEST_NAME) for name in class_names]
    upright = number <= 4 and max(map(len, names)) <= 12
    turn: dict[str, Any] = {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(number), names, **turn)
    axes.set_yticks(range(number), names)
    axes.set_xticks(np.arange(1, number) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, number) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Predicted class", labelpad=8)
    axes.set_ylabel("True class", labelpad=8)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=24, pad=0.03, format=PercentFormatter(1))
    bar.outline.set_visible(False)
    bar.set_label("Share of the true class")
    return figure


def _annotate(axes: Axes, counts: npt.NDArray, shares: npt.NDArray, size: float) -> None:
    for row, column in np.ndindex(counts.shape):
        count, share = counts[row, column], shares[row, column]
        text = f"{count:g}"
        if count and len(counts) <= MOST_CLASSES_WITH_SHARES:
            text += f"\n{share:.0%}"
        colour = MUTED if not count else INK if share < 0.5 else "white"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size, linespacing=1.3)


def _checked(matrix: npt.ArrayLike, class_names: Sequence[str]) -> npt.NDArray[np.float64]:
    counts = np.asarray(matrix, dtype=np.float64)
    if counts.shape != (len(class_names),) * 2 or not len(class_names):
        raise ValueError(
            f"expected a confusion matrix of shape ({len(class_names)}, {len(class_names)}) for the classes "
            f"{list(class_names)}, got {counts.shape}"
        )
    if not (np.isfinite(counts) & (counts >= 0)).all():
        raise ValueError("expected counts of at least 0 in a confusion matrix, got a negative or non-finite number")
    return counts
