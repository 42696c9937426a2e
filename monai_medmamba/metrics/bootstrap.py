"""Intervals by the bootstrap: the test set drawn again and again, whole patients at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .weighed import Array, Figures, Judged, means_over_classes, number, point_figures

FEWEST = 100
"""Of the resamples must define a figure for it to have an interval; for fewer resamples in all, every one of them."""
_BLOCK = 1 << 18  # weights at a time: what fits into a processor's cache


@dataclass(frozen=True)
class Bootstrap:
    """How a set of images is drawn again.

    Units are drawn with replacement, as many as there are, without stratification: the number of images of each
    class varies as it would between test sets. A unit is a patient with all images where patients are known, because
    images of one patient resemble each other, and a single image elsewhere.

    Args:
        groups: the patient of each image, None where unknown; None for images that are their own units.
        resamples: number of draws.
        seed: of the draws; the same seed gives the same intervals.
        confidence: share of the draws between the two ends of an interval.

    Raises:
        ValueError: there is no resample, or the confidence is not between 0 and 1.

    Example:
        >>> weights = next(Bootstrap(["ann", "ann", "bob"], resamples=5).blocks(3))
        >>> weights.shape, bool((weights[:, 0] == weights[:, 1]).all())
        ((5, 3), True)
    """

    groups: Sequence[str | None] | None = None
    resamples: int = 1000
    seed: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.confidence < 1:
            raise ValueError(
                f"expected at least 1 resample and a confidence between 0 and 1, got {self.resamples} "
                f"and {self.confidence}"
            )

    def units(self, images: int) -> npt.NDArray[np.int64]:
        """Return the unit of each image, numbered from 0.

        Raises:
            ValueError: the groups are not one an image.
        """
        if self.groups is None:
            return np.arange(images)
        if len(self.groups) != images:
            raise ValueError(f"expected a patient, or None, for each of {images} images, got {len(self.groups)}")
        names: dict[Any, int] = {}
        keys = [("", place) if group is None else group for place, group in enumerate(self.groups)]
        return np.array([names.setdefault(key, len(names)) for key in keys], dtype=np.int64)

    def blocks(self, images: int) -> Iterator[Array]:
        """Yield how often each image is drawn, (r, images) at a time, `resamples` rows in all."""
        unit = self.units(images)
        count = int(unit.max()) + 1
        rng = np.random.default_rng(self.seed)
        rows = max(1, _BLOCK // images)
        for start in range(0, self.resamples, rows):
            size = min(rows, self.resamples - start)
            drawn = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
            yield np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)[:, unit].astype(np.float64)

    def interval(self, value: float, drawn: Array) -> dict[str, Any]:
        """Return a figure with its percentile interval.

        Args:
            value: the figure of the images as they are.
            drawn: the figure of each resample, NaN where the resample does not define it.

        Returns:
            `value`, `low` and `high`, each None where undefined, and `resamples`, the number that defined the figure.
        """
        known = drawn[~np.isnan(drawn)]
        low, high = np.nan, np.nan
        if not np.isnan(value) and len(known) >= min(FEWEST, self.resamples):
            tail = (1 - self.confidence) / 2
            low, high = np.quantile(known, [tail, 1 - tail])
        return {"value": number(value), "low": number(low), "high": number(high), "resamples": len(known)}

    def describe(self, images: int) -> dict[str, Any]:
        """Return the settings as JSON, without the names of patients."""
        return {
            "method": "percentile bootstrap",
            "confidence": self.confidence,
            "resamples": self.resamples,
            "seed": self.seed,
            "unit": "image" if self.groups is None else "patient",
            "units": int(self.units(images).max()) + 1,
            "stratified": False,
        }


def resampled(judged: Judged, bootstrap: Bootstrap) -> Figures:
    """Return the figures of every resample, with the means over the classes among the overall ones.

    Args:
        judged: images and what was said of them.
        bootstrap: how they are drawn.

    Returns:
        Overall figures (resamples,) and figures by class (resamples, C).
    """
    point = point_figures(judged).by_class
    overall: dict[str, list[Array]] = {}
    by_class: dict[str, list[Array]] = {}
    for weights in bootstrap.blocks(len(judged)):
        block = judged.figures(weights)
        for name, values in {**means_over_classes(block.by_class, point), **block.overall}.items():
            overall.setdefault(name, []).append(values)
        for name, values in block.by_class.items():
            by_class.setdefault(name, []).append(values)
    return Figures(*({name: np.concatenate(parts) for name, parts in part.items()} for part in (overall, by_class)))


def bootstrap_intervals(judged: Judged, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return every figure with its interval, over all classes and for each.

    A resample may lack a class. It then defines no figure of that class and no mean over the classes: such means are
    not taken over fewer classes, which would be another figure. The interval is that of the other resamples, and
    `resamples` says how many they were; below 100 of them there is no interval.

    Args:
        judged: images and what was said of them, such as `JudgedClasses`.
        bootstrap: how they are drawn.

    Returns:
        `figures`, name to `value`, `low`, `high` and `resamples`; `per_class`, a list in the order of the classes of
        `class` and such figures; JSON without NaN.

    Example:
        >>> from .classification import JudgedClasses
        >>> judged = JudgedClasses([[0.9, 0.1], [0.2, 0.8]] * 20, [0, 1] * 20, ["a", "b"])
        >>> bootstrap_intervals(judged, Bootstrap(resamples=200))["figures"]["accuracy"]["low"]
        1.0
    """
    point, drawn = point_figures(judged), resampled(judged, bootstrap)
    values = {**means_over_classes(point.by_class, point.by_class), **point.overall}
    return {
        "figures": {name: bootstrap.interval(value[0], drawn.overall[name]) for name, value in values.items()},
        "per_class": [
            {"class": name}
            | {
                figure: bootstrap.interval(value[0, c], drawn.by_class[figure][:, c])
                for figure, value in point[1].items()
            }
            for c, name in enumerate(judged.class_names)
        ],
    }
