"""Thresholds that fix sensitivity or specificity: chosen on validation, applied to the test."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .bootstrap import Bootstrap
from .findings import FindingPredictions
from .predictions import Predictions
from .ranking import RankedScores
from .weighed import Array

RULES = ("sensitivity", "specificity")


def choose_threshold(
    scores: npt.NDArray[np.floating], member: npt.NDArray[np.bool_], rule: str, target: float
) -> float | None:
    """Return the threshold that reaches a target on these images and gives away least of the other side.

    An image counts as found from the threshold on (score >= threshold).

    Args:
        scores: probability of the class, (n,).
        member: whether the image belongs to it, (n,).
        rule: what to fix, "sensitivity" or "specificity".
        target: the least it may be, in (0, 1].

    Returns:
        The highest threshold with that sensitivity, or the lowest with that specificity, one of the scores; None
        where no threshold reaches the target or one side is empty.

    Raises:
        ValueError: there is no such rule, or the target is not in (0, 1].

    Example:
        >>> choose_threshold(np.array([0.9, 0.6, 0.4, 0.2]), np.array([True, False, True, False]), "sensitivity", 1.0)
        0.4
    """
    if rule not in RULES or not 0 < target <= 1:
        raise ValueError(f"expected a rule of {', '.join(RULES)} and a target in (0, 1], got {rule!r} and {target}")
    if not member.any() or member.all():
        return None
    ranked = RankedScores(scores, member)
    hits, alarms = (steps[0] for steps in ranked.steps(np.ones((1, len(scores)))))
    if rule == "sensitivity":
        return float(ranked.thresholds[np.argmax(hits >= target * hits[-1])])
    quiet = np.flatnonzero(alarms <= (1 - target) * alarms[-1] + 1e-9)
    return float(ranked.thresholds[quiet[-1]]) if quiet.size else None


def operating_points(
    validation: Predictions | FindingPredictions,
    test: Predictions | FindingPredictions,
    bootstrap: Bootstrap,
    targets: dict[str, float],
) -> list[dict[str, Any]]:
    """Return, for each class and rule, the threshold chosen on validation and what it gives on the test.

    Args:
        validation: predictions to choose on, with known classes.
        test: predictions to report on, with known classes.
        bootstrap: how the test's images are drawn.
        targets: rule to target, such as ``{"sensitivity": 0.95}``.

    Returns:
        One dictionary a class and rule: `class`, `rule`, `target`, `threshold` (None where no threshold reaches the
        target on validation), `validation` with sensitivity and specificity there, and `test` with `sensitivity`,
        `specificity`, `ppv` and `npv`, each with its interval.
    """
    rows = []
    chosen_on, applied_to = validation.members, test.members
    for c, name in enumerate(test.class_names):
        for rule, target in targets.items():
            threshold = choose_threshold(validation.probabilities[:, c], chosen_on[:, c], rule, target)
            row: dict[str, Any] = {"class": name, "rule": rule, "target": target, "threshold": threshold}
            if threshold is not None:
                there = rates(validation.probabilities[:, c] >= threshold, chosen_on[:, c], None)
                row["validation"] = {key: float(there[key][0]) for key in RULES}
                found, member = test.probabilities[:, c] >= threshold, applied_to[:, c]
                point = rates(found, member, None)
                blocks = [rates(found, member, weights) for weights in bootstrap.blocks(len(found))]
                row["test"] = {
                    key: bootstrap.interval(value[0], np.concatenate([block[key] for block in blocks]))
                    for key, value in point.items()
                }
            rows.append(row)
    return rows


def rates(found: npt.NDArray[np.bool_], member: npt.NDArray[np.bool_], weights: Array | None) -> dict[str, Array]:
    """Return sensitivity, specificity and both predictive values for each row of weights, NaN where undefined.

    Args:
        found: whether the image counts as the class, (n,).
        member: whether it is, (n,).
        weights: how often each image counts, (R, n); None for once each.

    Returns:
        Name to shape (R,).
    """
    each = np.ones((1, len(found))) if weights is None else weights
    hits, alarms, missed, quiet = (
        each @ (side.astype(np.float64))
        for side in (found & member, found & ~member, ~found & member, ~found & ~member)
    )
    return {
        "sensitivity": _share(hits, missed),
        "specificity": _share(quiet, alarms),
        "ppv": _share(hits, alarms),
        "npv": _share(quiet, missed),
    }


def _share(part: Array, rest: Array) -> Array:
    whole = part + rest
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
