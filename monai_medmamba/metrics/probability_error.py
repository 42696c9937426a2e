"""How far probabilities are from what happened: Brier score, log loss, calibration error, reliability."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BINS = 15
LEAST = 1e-30
"""The probability that a rounded zero stands for, so that its logarithm is finite."""


def squared_errors(probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.int64]) -> Array:
    """Return the Brier score of each image: squared differences summed over all classes, (n,), in [0, 2]."""
    target = np.eye(probabilities.shape[1])[truth]
    return ((probabilities - target) ** 2).sum(axis=1)


def log_losses(probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.int64]) -> Array:
    """Return the negative logarithm of the probability that the true class got, (n,)."""
    of_truth = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return -np.log(np.maximum(of_truth, LEAST))


def weighted_mean(values: Array, weights: Array) -> Array:
    """Return the mean of (n,) values for each row of (R, n) weights, (R,)."""
    return weights @ values / weights.sum(axis=1)


def bin_of(confidence: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Return the bin of each probability: equal widths, each without its lower edge and with its upper."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def calibration_error(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return the expected calibration error for each row of weights.

    Source: Guo et al., On Calibration of Modern Neural Networks (arXiv:1706.04599), equation 3, with 15 bins.

    Args:
        confidence: stated probability, (n,).
        right: whether it came true, (n,).
        weights: how often each image counts, (R, n).

    Returns:
        Shape (R,), in [0, 1].
    """
    bins = bin_of(confidence)
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    gap = (confidence - right).astype(np.float64)[order]
    return np.abs(np.add.reduceat(weights[:, order] * gap, starts, axis=1)).sum(axis=1) / weights.sum(axis=1)


def reliability_bins(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    """Return the bins of a reliability diagram that hold images.

    Args:
        confidence: stated probability, (n,).
        right: whether it came true, (n,).

    Returns:
        One dictionary a bin: `low` and `high`, its edges; `images`; `confidence`, the mean stated probability;
        `accuracy`, the share that came true.
    """
    bins = bin_of(confidence)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        rows.append(
            {
                "low": float(number / BINS),
                "high": float((number + 1) / BINS),
                "images": int(inside.sum()),
                "confidence": float(confidence[inside].mean(dtype=np.float64)),
                "accuracy": float(right[inside].mean()),
            }
        )
    return rows
