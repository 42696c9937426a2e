"""What the order of scores says: ROC and precision-recall curves and their areas, for many weighings at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class RankedScores:
    """The scores of one class against the rest, sorted once and weighed as often as wanted.

    Images of equal score share a step of the curve, so their order does not matter.

    Args:
        scores: score of each image, (n,), n >= 1.
        member: whether the image belongs to the class, (n,).

    Example:
        >>> ranked = RankedScores(np.array([0.1, 0.9, 0.5]), np.array([False, True, True]))
        >>> ranked.areas(np.ones((1, 3)))[0].tolist()
        [1.0]
    """

    def __init__(self, scores: npt.NDArray[np.floating], member: npt.NDArray[np.bool_]) -> None:
        self._order = np.argsort(-scores, kind="stable")
        falling = scores[self._order]
        self._starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])
        self._member = member[self._order].astype(np.float64)
        self.thresholds = falling[self._starts]

    def steps(self, weights: Array) -> tuple[Array, Array]:
        """Return hits and false alarms at each threshold, highest first, (R, steps) each; weights are (R, n)."""
        ordered = weights[:, self._order]
        hits = np.add.reduceat(ordered * self._member, self._starts, axis=1)
        everyone = np.add.reduceat(ordered, self._starts, axis=1)
        return hits.cumsum(axis=1), (everyone - hits).cumsum(axis=1)

    def areas(self, weights: Array) -> tuple[Array, Array]:
        """Return the area under the ROC curve and the average precision, (R,) each, NaN where one side is empty."""
        hits, alarms = self.steps(weights)
        members, others = hits[:, -1], alarms[:, -1]
        defined = (members > 0) & (others > 0)
        gained = np.diff(hits, axis=1, prepend=0)
        # Mann-Whitney: an image of the class is ranked above all later others, and half of those beside it.
        later = others[:, None] - alarms + np.diff(alarms, axis=1, prepend=0) / 2
        above = (gained * later).sum(axis=1)
        precision = hits / np.maximum(hits + alarms, 1)
        area = np.where(defined, above / np.where(defined, members * others, 1), np.nan)
        average = np.where(defined, (gained * precision).sum(axis=1) / np.where(defined, members, 1), np.nan)
        return area, average
