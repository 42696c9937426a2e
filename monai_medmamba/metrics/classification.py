"""The six figures the MedMamba paper reports, what reviewers ask for beside them, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .confusion import cohen_kappa, confusion_matrices, matthews, one_against_rest
from .probability_error import calibration_error, log_losses, squared_errors, weighted_mean
from .ranking import RankedScores
from .validation import check_labels, check_probabilities
from .weighed import Array, Figures, means_over_classes, number, point_figures

FIGURES = ("precision", "sensitivity", "specificity", "f1", "auc", "average_precision")
OVERALL = ("accuracy", "kappa", "quadratic_kappa", "mcc", "brier", "log_loss", "ece")


class JudgedClasses:
    """Images of one class each with the probabilities given to them, ready to be weighed.

    Args:
        probabilities: shape (n, C), floating point, each row a distribution over the classes.
        labels: shape (n,), integer class indices in [0, C).
        class_names: the C names, in the order of the columns.

    Raises:
        ValueError: shapes, dtypes or ranges are wrong, or there is no image.

    Example:
        >>> judged = JudgedClasses([[0.9, 0.1], [0.2, 0.8]], [0, 0], ["a", "b"])
        >>> judged.figures(np.array([[1.0, 3.0]])).overall["accuracy"].tolist()
        [0.25]
    """

    def __init__(self, probabilities: npt.ArrayLike, labels: npt.ArrayLike, class_names: Sequence[str]) -> None:
        self.class_names = list(class_names)
        self.scores = check_probabilities(probabilities, class_names)
        self.truth = check_labels(labels, len(self.scores), class_names)
        self.predicted = self.scores.argmax(axis=1)
        self._squared = squared_errors(self.scores, self.truth)
        self._logs = log_losses(self.scores, self.truth)
        columns = list(self.scores.T)
        if len(columns) == 2:
            # The second column ranks for both: rounding near 1 adds ties to one column and not to the other.
            columns[0] = -columns[1]
        self.ranked = [RankedScores(column, self.truth == c) for c, column in enumerate(columns)]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.truth)

    def matrices(self, weights: Array) -> Array:
        """Return a confusion matrix for each row of weights, (R, C, C)."""
        return confusion_matrices(self.truth, self.predicted, len(self.class_names), weights)

    def figures(self, weights: Array) -> Figures:
        """Return the figures for each row of (R, n) weights, without the means over the classes."""
        matrices = self.matrices(weights)
        hits, predicted, support = np.einsum("rii->ri", matrices), matrices.sum(axis=1), matrices.sum(axis=2)
        total = support.sum(axis=1, keepdims=True)
        areas, averages = zip(*(ranked.areas(weights) for ranked in self.ranked), strict=True)
        overall = {
            "accuracy": hits.sum(axis=1) / total[:, 0],
            "kappa": cohen_kappa(matrices),
            "quadratic_kappa": cohen_kappa(matrices, quadratic=True),
            "mcc": matthews(matrices),
            "brier": weighted_mean(self._squared, weights),
            "log_loss": weighted_mean(self._logs, weights),
            "ece": calibration_error(self.scores.max(axis=1), self.predicted == self.truth, weights),
        }
        by_class = {
            **one_against_rest(hits, predicted, support, total),
            "auc": np.stack(areas, axis=1),
            "average_precision": np.stack(averages, axis=1),
        }
        return Figures(overall, by_class)


def classification_metrics(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, class_names: Sequence[str]
) -> dict[str, Any]:
    """Return the paper's six figures, those asked for beside them, the table by class and the confusion matrix.

    The predicted class is the most probable one, the first of equals. Precision, sensitivity, specificity, F1, AUC and
    average precision are computed for each class against the rest and averaged without weights (macro); the other
    figures are over all images. The Brier score sums over the classes (0 best, 2 worst); the expected calibration
    error has 15 bins of equal width over the highest probability. Quadratic kappa means something only where the
    order of the classes is one of degree.

    Nothing undefined is turned into a number:

    - A class without an image in `labels` has no figure at all. Images wrongly given to it still count against the
      classes they belong to.
    - Where every image belongs to one class, that class has neither specificity nor AUC nor average precision; kappa
      and Matthews' correlation have no value where truth or prediction do not vary.
    - Macro averages leave undefined classes out, `skipped` names them figure by figure, and an average over no class
      is itself undefined.
    - A class that has images but is never predicted keeps precision 0, scikit-learn's convention, because leaving it
      out would reward a network that ignores it; `never_predicted` names such classes.

    Source: the evaluation section of the MedMamba paper (arXiv:2403.03849): precision, sensitivity, specificity, F1,
    overall accuracy and AUC.

    Args:
        probabilities: shape (n, C), floating point, each row a distribution over the classes.
        labels: shape (n,), integer class indices in [0, C).
        class_names: the C names, in the order of the columns.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts. Floats, or None where undefined: in [0, 1]
        `precision`, `sensitivity`, `specificity`, `f1`, `accuracy`, `auc`, `average_precision`, `balanced_accuracy`,
        `ece`; `kappa`, `quadratic_kappa` and `mcc` at most 1; `brier` in [0, 2]; `log_loss` at least 0. Tables:
        `class_names`; `per_class`, one dictionary a class with `class`, `support` and the six figures;
        `confusion_matrix`, counts as a list of rows, rows the truth, columns the prediction; `skipped`, figure to
        class names; `never_predicted`, class names.

    Raises:
        ValueError: when shapes, dtypes or ranges are wrong, a row is not a distribution, or there is no image.

    Example:
        >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]]
        >>> metrics = classification_metrics(probabilities, [0, 0, 1, 1], ["normal", "polyp"])
        >>> metrics["accuracy"], metrics["auc"], metrics["confusion_matrix"]
        (0.75, 0.75, [[2, 0], [1, 1]])
    """
    judged = JudgedClasses(probabilities, labels, class_names)
    overall, by_class = point_figures(judged)
    means = means_over_classes(by_class, by_class)
    matrix = judged.matrices(np.ones((1, len(judged))))[0].astype(np.int64)
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    undefined = {name: np.isnan(by_class[name][0]) for name in FIGURES}
    return {
        **{name: number(means[name][0]) for name in (*FIGURES, "balanced_accuracy")},
        **{name: number(overall[name][0]) for name in OVERALL},
        "class_names": list(class_names),
        "per_class": [
            {"class": name, "support": int(support[c]), **{f: number(by_class[f][0, c]) for f in FIGURES}}
            for c, name in enumerate(class_names)
        ],
        "confusion_matrix": matrix.tolist(),
        "skipped": {name: _names(class_names, undefined[name]) for name in FIGURES if undefined[name].any()},
        "never_predicted": _names(class_names, (predicted == 0) & (support > 0)),
    }


def _names(class_names: Sequence[str], chosen: npt.NDArray[np.bool_]) -> list[str]:
    return [name for name, take in zip(class_names, chosen, strict=True) if take]
