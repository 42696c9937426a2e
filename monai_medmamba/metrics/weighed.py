"""Figures of many weighings of the same images, and their means over the classes."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Figures(NamedTuple):
    """Figures for R weighings of the images.

    Args:
        overall: figure to shape (R,).
        by_class: figure to shape (R, C).

    Example:
        >>> Figures({"accuracy": np.ones(1)}, {}).overall["accuracy"].tolist()
        [1.0]
    """

    overall: dict[str, Array]
    by_class: dict[str, Array]


class Judged(Protocol):
    """Images with what was said of them, whose figures can be computed for any weighing."""

    class_names: list[str]

    def __len__(self) -> int:
        """Number of images."""

    def figures(self, weights: Array) -> Figures:
        """Figures for each row of (R, n) weights, without the means over the classes."""


def point_figures(judged: Judged) -> Figures:
    """Return the figures of the images as they are, each counted once: R is 1."""
    return judged.figures(np.ones((1, len(judged))))


def means_over_classes(by_class: dict[str, Array], point: dict[str, Array]) -> dict[str, Array]:
    """Return the unweighted mean of each figure over the classes for which the images themselves define it.

    A weighing that lacks one of these classes has no mean (NaN): leaving the class out would give another figure.

    Args:
        by_class: figure to shape (R, C).
        point: the same figures of the images as they are, (1, C).

    Returns:
        Figure to shape (R,); `balanced_accuracy` is the mean sensitivity.
    """
    means = {}
    for name, values in by_class.items():
        defined = ~np.isnan(point[name][0])
        means[name] = values[:, defined].mean(axis=1) if defined.any() else np.full(len(values), np.nan)
    return {**means, "balanced_accuracy": means["sensitivity"]}


def number(value: float) -> float | None:
    """Return a figure as JSON knows it: None where it is undefined."""
    return None if np.isnan(value) else float(value)
