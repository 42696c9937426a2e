"""The six figures the MedMamba paper reports, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .validation import check_labels, check_probabilities

Array = npt.NDArray[np.float64]
FIGURES = ("precision", "sensitivity", "specificity", "f1", "auc")


def classification_metrics(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, class_names: Sequence[str]
) -> dict[str, Any]:
    """Return the paper's six figures, balanced accuracy, the table by class and the confusion matrix.

    The predicted class is the most probable one, the first of equals. Precision, sensitivity, specificity, F1 and AUC
    are computed for each class against the rest and averaged without weights (macro); accuracy is over all images.

    Nothing undefined is turned into a number:

    - A class without an image in `labels` has no figure at all. Images wrongly given to it still count against the
      classes they belong to.
    - Where every image belongs to one class, that class has neither specificity nor AUC.
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
        A dictionary that `json.dumps(..., allow_nan=False)` accepts. Floats in [0, 1], or None where undefined:
        `precision`, `sensitivity`, `specificity`, `f1`, `accuracy`, `auc`, `balanced_accuracy`. Tables:
        `class_names`; `per_class`, one dictionary a class with `class`, `support` and the five figures;
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
    from sklearn.metrics import confusion_matrix

    scores = check_probabilities(probabilities, class_names)
    truth = check_labels(labels, len(scores), class_names)
    matrix = confusion_matrix(truth, scores.argmax(axis=1), labels=range(len(class_names)))
    figures = {**_one_against_rest(matrix), "auc": _auc_by_class(scores, truth)}
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    return {
        **{name: _mean_of_defined(figures[name]) for name in FIGURES},
        "accuracy": float(np.trace(matrix) / len(truth)),
        "balanced_accuracy": _mean_of_defined(figures["sensitivity"]),
        "class_names": list(class_names),
        "per_class": [
            {"class": name, "support": int(support[c]), **{f: _number(figures[f][c]) for f in FIGURES}}
            for c, name in enumerate(class_names)
        ],
        "confusion_matrix": matrix.tolist(),
        "skipped": {f: _names(class_names, np.isnan(figures[f])) for f in FIGURES if np.isnan(figures[f]).any()},
        "never_predicted": _names(class_names, (predicted == 0) & (support > 0)),
    }


def _one_against_rest(matrix: npt.NDArray[np.integer]) -> dict[str, Array]:
    """Return precision, sensitivity, specificity and F1 of each class, NaN where a class has no image."""
    hits = np.diag(matrix).astype(np.float64)
    support = matrix.sum(axis=1)
    false_alarms = matrix.sum(axis=0) - hits
    others = matrix.sum() - support
    present = support > 0
    precision = np.where(hits > 0, hits / np.maximum(hits + false_alarms, 1), 0.0)
    return {
        "precision": np.where(present, precision, np.nan),
        "sensitivity": np.where(present, hits / np.maximum(support, 1), np.nan),
        "specificity": np.where(present & (others > 0), (others - false_alarms) / np.maximum(others, 1), np.nan),
        "f1": np.where(present, 2 * hits / np.maximum(hits + false_alarms + support, 1), np.nan),
    }


def _auc_by_class(scores: npt.NDArray[np.floating], truth: npt.NDArray[np.int64]) -> Array:
    """Return the area under the ROC curve of each class against the rest, NaN where one side is empty."""
    from sklearn.metrics import roc_auc_score

    areas = np.full(scores.shape[1], np.nan)
    for c in range(scores.shape[1]):
        member = truth == c
        if member.any() and not member.all():
            areas[c] = roc_auc_score(member, scores[:, c])
    if len(areas) == 2:
        # The two are equal but for ties that rounding near 1 adds to one column and not to the other.
        areas[0] = areas[1]
    return areas


def _mean_of_defined(values: Array) -> float | None:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _names(class_names: Sequence[str], chosen: npt.NDArray[np.bool_]) -> list[str]:
    return [name for name, take in zip(class_names, chosen, strict=True) if take]
