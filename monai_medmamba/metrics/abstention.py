"""Leaving the doubtful images to a reader: the risk-coverage curve and a threshold below which none is classified."""

from __future__ import annotations

from typing import Any

import numpy as np

from .bootstrap import Bootstrap
from .predictions import Predictions
from .ranking import RankedScores
from .weighed import Array, number

GRID = np.linspace(0, 1, 101)


def abstention(
    validation: Predictions | None, test: Predictions, bootstrap: Bootstrap, target_accuracy: float = 0.95
) -> dict[str, Any]:
    """Return what is gained on the test by leaving out the images of low confidence.

    The confidence is the highest probability. The threshold is the lowest for which the images kept on validation
    reach the target accuracy, so that as few as possible are left out; the test only measures it.

    Args:
        validation: predictions to choose the threshold on, with known classes; None leaves it out.
        test: predictions to report on, with known classes.
        bootstrap: how the test's images are drawn.
        target_accuracy: of the images kept, in (0, 1].

    Returns:
        `coverage` and `risk`, the curve, with `low` and `high`, its band; `aurc`, the area below it with its
        interval; `target_accuracy`; `threshold`, None where none reaches the target; with a threshold `validation`
        (`coverage`, `accuracy`) and `test` (the same with intervals).
    """
    ranked = RankedScores(test.probabilities.max(axis=1), test.predicted == test.labels)
    point = _curve(ranked, np.ones((1, len(test.images))))
    drawn = [_curve(ranked, weights) for weights in bootstrap.blocks(len(test.images))]
    low, high = band(np.concatenate([risk for risk, _ in drawn]), bootstrap)
    content: dict[str, Any] = {
        "coverage": GRID.tolist(),
        "risk": numbers(point[0][0]),
        "low": low,
        "high": high,
        "aurc": bootstrap.interval(point[1][0], np.concatenate([area for _, area in drawn])),
        "target_accuracy": target_accuracy,
        "threshold": None,
    }
    if validation is None:
        return content
    chosen = _choose(validation, target_accuracy)
    if chosen is None:
        return content
    kept_there = _kept(validation, chosen, np.ones((1, len(validation.images))))
    point_kept = _kept(test, chosen, np.ones((1, len(test.images))))
    blocks = [_kept(test, chosen, weights) for weights in bootstrap.blocks(len(test.images))]
    return content | {
        "threshold": chosen,
        "validation": {key: number(value[0]) for key, value in kept_there.items()},
        "test": {
            key: bootstrap.interval(value[0], np.concatenate([block[key] for block in blocks]))
            for key, value in point_kept.items()
        },
    }


def band(drawn: Array, bootstrap: Bootstrap) -> tuple[list[float | None], list[float | None]]:
    """Return the pointwise interval of curves, (R, points), as two lists; None where fewer than half define a point."""
    tail = (1 - bootstrap.confidence) / 2
    known = (~np.isnan(drawn)).mean(axis=0) >= 0.5
    edges = np.full((2, drawn.shape[1]), np.nan)
    if known.any():
        edges[:, known] = np.nanquantile(drawn[:, known], [tail, 1 - tail], axis=0)
    return numbers(edges[0]), numbers(edges[1])


def numbers(values: Array) -> list[float | None]:
    """Return figures as JSON knows them, in six digits: a curve needs no more."""
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


def _curve(ranked: RankedScores, weights: Array) -> tuple[Array, Array]:
    """Return the risk at each coverage of the grid, (R, points), and the area below the curve, (R,)."""
    right, wrong = ranked.steps(weights)
    kept = right + wrong
    risk = wrong / np.maximum(kept, 1)
    coverage = kept / kept[:, -1:]
    area = (risk * np.diff(coverage, axis=1, prepend=0)).sum(axis=1)
    at = np.stack([np.searchsorted(row, GRID - 1e-9) for row in coverage])
    # At no coverage at all the curve starts with the first image kept.
    at = np.maximum(at, (kept > 0).argmax(axis=1)[:, None])
    return np.take_along_axis(risk, at, axis=1), area


def _choose(validation: Predictions, target: float) -> float | None:
    ranked = RankedScores(validation.probabilities.max(axis=1), validation.predicted == validation.labels)
    right, wrong = (steps[0] for steps in ranked.steps(np.ones((1, len(validation.images)))))
    enough = np.flatnonzero(right >= target * (right + wrong) - 1e-9)
    return float(ranked.thresholds[enough[-1]]) if enough.size else None


def _kept(predictions: Predictions, threshold: float, weights: Array) -> dict[str, Array]:
    kept = predictions.probabilities.max(axis=1) >= threshold
    right = kept & (predictions.predicted == predictions.labels)
    number_kept, number_right = weights @ kept.astype(np.float64), weights @ right.astype(np.float64)
    some = number_kept > 0
    return {
        "coverage": number_kept / weights.sum(axis=1),
        "accuracy": np.where(some, number_right / np.where(some, number_kept, 1), np.nan),
    }
