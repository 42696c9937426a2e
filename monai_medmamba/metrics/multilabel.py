"""Figures where an image may show several findings, or none: one yes or no a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .confusion import one_against_rest
from .probability_error import LEAST, calibration_error
from .ranking import RankedScores
from .validation import check_class_names, check_label_table, check_unit_interval
from .weighed import Array, Figures, means_over_classes, number, point_figures


class JudgedFindings:
    """Images of any number of classes each with a probability for every class, ready to be weighed.

    Args:
        probabilities: shape (n, C), floating point in [0, 1], each class for itself, as a sigmoid gives them.
        labels: shape (n, C), 1 or True where the image shows the class.
        class_names: the C names, in the order of the columns.
        thresholds: probability from which on a class counts as found; one number, or C of them.

    Raises:
        ValueError: shapes, dtypes or ranges are wrong, or there is no image.

    Example:
        >>> JudgedFindings([[0.9, 0.4]], [[1, 1]], ["a", "b"], thresholds=[0.5, 0.3]).found.tolist()
        [[True, True]]
    """

    def __init__(
        self,
        probabilities: npt.ArrayLike,
        labels: npt.ArrayLike,
        class_names: Sequence[str],
        thresholds: float | Sequence[float] = 0.5,
    ) -> None:
        check_class_names(class_names)
        self.class_names = list(class_names)
        self.scores = check_unit_interval(probabilities, len(self.class_names))
        self.truth = check_label_table(labels, self.scores.shape)
        self.found = self.scores >= np.broadcast_to(np.asarray(thresholds), (len(self.class_names),))
        self._squared = (self.scores - self.truth) ** 2
        given = np.where(self.truth, self.scores, 1 - self.scores)
        self._logs = -np.log(np.maximum(given.astype(np.float64), LEAST))
        self.ranked = [RankedScores(scores, truth) for scores, truth in zip(self.scores.T, self.truth.T, strict=True)]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.scores)

    def figures(self, weights: Array) -> Figures:
        """Return the figures for each row of (R, n) weights, without the means over the classes."""
        total = weights.sum(axis=1, keepdims=True)
        hits, predicted, support = (
            weights @ table.astype(np.float64) for table in (self.truth & self.found, self.found, self.truth)
        )
        agreed = self.truth == self.found
        areas, averages = zip(*(ranked.areas(weights) for ranked in self.ranked), strict=True)
        overall = {
            "exact_match": (weights @ agreed.all(axis=1)) / total[:, 0],
            "accuracy": (weights @ agreed.mean(axis=1)) / total[:, 0],
        }
        errors = [
            calibration_error(scores, truth, weights) for scores, truth in zip(self.scores.T, self.truth.T, strict=True)
        ]
        by_class = {
            **one_against_rest(hits, predicted, support, total),
            "auc": np.stack(areas, axis=1),
            "average_precision": np.stack(averages, axis=1),
            "mcc": _matthews(hits, predicted, support, total),
            "brier": weights @ self._squared / total,
            "log_loss": weights @ self._logs / total,
            "ece": np.stack(errors, axis=1),
        }
        return Figures(overall, by_class)


def multilabel_metrics(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    class_names: Sequence[str],
    thresholds: float | Sequence[float] = 0.5,
) -> dict[str, Any]:
    """Return the figures of a multi-label classification: for each class, and their means over the classes.

    Every class is a question of its own. Precision, sensitivity, specificity, F1, AUC, average precision, Matthews'
    correlation, Brier score, log loss and calibration error are computed for each and averaged without weights;
    `accuracy` is the share of right answers, `exact_match` the share of images with no wrong one. What is undefined is
    None and left out of the mean: for a class without a positive image every figure but the errors of the
    probabilities, for one without a negative image specificity, AUC, average precision and correlation.

    Args:
        probabilities: shape (n, C), floating point in [0, 1], each class for itself.
        labels: shape (n, C), 1 or True where the image shows the class.
        class_names: the C names, in the order of the columns.
        thresholds: probability from which on a class counts as found; one number, or C of them.

    Returns:
        A dictionary of floats or None that JSON knows; `class_names`; `per_class`, a list of `class`, `support` and
        the figures.

    Raises:
        ValueError: shapes, dtypes or ranges are wrong, or there is no image.

    Example:
        >>> metrics = multilabel_metrics([[0.9, 0.2], [0.4, 0.7]], [[1, 0], [0, 0]], ["polyp", "ulcer"])
        >>> metrics["exact_match"], metrics["accuracy"], metrics["auc"]
        (0.5, 0.75, 1.0)
    """
    judged = JudgedFindings(probabilities, labels, class_names, thresholds)
    overall, by_class = point_figures(judged)
    values = {**means_over_classes(by_class, by_class), **overall}
    return {
        **{name: number(value[0]) for name, value in values.items()},
        "class_names": judged.class_names,
        "per_class": [
            {"class": name, "support": int(judged.truth[:, c].sum())}
            | {figure: number(value[0, c]) for figure, value in by_class.items()}
            for c, name in enumerate(judged.class_names)
        ],
    }


def _matthews(hits: Array, predicted: Array, support: Array, total: Array) -> Array:
    """Return Matthews' correlation of each class, NaN where truth or prediction does not vary."""
    spread = predicted * (total - predicted) * support * (total - support)
    together = hits * total - predicted * support
    return np.where(spread > 0, together / np.sqrt(np.where(spread > 0, spread, 1)), np.nan)
