"""ROC and precision-recall curves of each class against the rest, with bootstrap bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from .abstention import GRID, band, numbers
from .bootstrap import Bootstrap
from .classification import JudgedClasses
from .multilabel import JudgedFindings
from .ranking import RankedScores
from .weighed import Array


def curves_with_bands(judged: JudgedClasses | JudgedFindings, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the curves of every class at 101 places, with the pointwise interval of the resamples.

    A precision-recall curve is read as average precision reads it: at a recall, the precision of the first threshold
    that reaches it.

    Args:
        judged: images with their classes, or labels, and probabilities.
        bootstrap: how they are drawn.

    Returns:
        `roc` with `false_positive_rate` and `precision_recall` with `recall`, the places; each with `classes`, a list
        of `class`, `value`, `low` and `high` (lists of numbers, None where undefined); JSON without NaN.
    """
    drawn: list[list[tuple[Array, Array]]] = [[] for _ in judged.ranked]
    for weights in bootstrap.blocks(len(judged)):
        for c, ranked in enumerate(judged.ranked):
            drawn[c].append(_both(ranked, weights))
    rows: dict[str, list[dict[str, Any]]] = {"roc": [], "precision_recall": []}
    for c, name in enumerate(judged.class_names):
        points = _both(judged.ranked[c], np.ones((1, len(judged))))
        for kind, point, parts in zip(rows, points, zip(*drawn[c], strict=True), strict=True):
            low, high = band(np.concatenate(parts), bootstrap)
            rows[kind].append({"class": name, "value": numbers(point[0]), "low": low, "high": high})
    return {
        "roc": {"false_positive_rate": GRID.tolist(), "classes": rows["roc"]},
        "precision_recall": {"recall": GRID.tolist(), "classes": rows["precision_recall"]},
    }


def _both(ranked: RankedScores, weights: Array) -> tuple[Array, Array]:
    """Return sensitivity at each false-positive rate and precision at each recall, (R, places), NaN if undefined."""
    hits, alarms = ranked.steps(weights)
    members, others = hits[:, -1], alarms[:, -1]
    defined = (members > 0) & (others > 0)
    roc, recall = np.full((len(hits), len(GRID)), np.nan), np.full((len(hits), len(GRID)), np.nan)
    precision = hits / np.maximum(hits + alarms, 1)
    for row in np.flatnonzero(defined):
        rate, share = alarms[row] / others[row], hits[row] / members[row]
        roc[row] = np.interp(GRID, np.r_[0, rate], np.r_[0, share])
        first = np.maximum(np.searchsorted(share, GRID - 1e-9), np.argmax(hits[row] + alarms[row] > 0))
        recall[row] = precision[row, first]
    return roc, recall
