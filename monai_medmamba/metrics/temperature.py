"""Probabilities that mean what they say: one temperature, fitted on validation images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .classification import JudgedClasses
from .predictions import Predictions
from .probability_error import LEAST, log_losses, reliability_bins
from .weighed import number, point_figures

RANGE = (0.1, 10.0)
ERRORS = ("log_loss", "brier", "ece")


def apply_temperature(probabilities: npt.ArrayLike, temperature: float) -> npt.NDArray[np.float32]:
    """Return the probabilities of the same logits divided by a temperature.

    Above 1 it makes them more modest, below 1 bolder; the most probable class stays. Dividing the logarithms of the
    probabilities is the same as dividing the logits, and 1 / temperature undoes it.

    Source: Guo et al., On Calibration of Modern Neural Networks (arXiv:1706.04599), section 4.2.

    Args:
        probabilities: shape (n, C), each row a distribution.
        temperature: above 0.

    Returns:
        Shape (n, C), float32, each row a distribution.

    Raises:
        ValueError: the temperature is not a finite number above 0.

    Example:
        >>> apply_temperature([[0.9, 0.1]], 2.0).round(2).tolist()
        [[0.75, 0.25]]
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"expected a finite temperature above 0, got {temperature}")
    return _divided(probabilities, temperature).astype(np.float32)


def fit_temperature(validation: Predictions) -> dict[str, Any]:
    """Return the temperature with the least log loss on validation images.

    Where no validation image is classified wrongly, ever bolder probabilities would have ever less loss: there is
    nothing to fit, and the temperature stays 1.

    Args:
        validation: predictions on images that the network did not learn from and that are not the test set.

    Returns:
        `temperature`, in [0.1, 10]; `split`, "validation"; `images`, their number; `log_loss_before` and
        `log_loss_after` on them; `reason`, why it stays 1, or None.

    Raises:
        ValueError: the true classes are unknown.

    Example:
        >>> bold = np.float32([[0.99, 0.01]] * 8 + [[0.01, 0.99]] * 2)
        >>> bold = Predictions([f"{i}.png" for i in range(10)], np.zeros(10, np.int64), bold, ["a", "b"])
        >>> round(fit_temperature(bold)["temperature"], 2)
        3.31
    """
    from scipy.optimize import minimize_scalar

    truth, scores = validation.truth, validation.probabilities

    def loss(logarithm: float) -> float:
        return float(log_losses(_divided(scores, np.exp(logarithm)), truth).mean())

    temperature, reason = 1.0, None
    if (validation.predicted == truth).all():
        reason = "no validation image is classified wrongly: there is nothing to fit"
    else:
        temperature = float(
            np.exp(minimize_scalar(loss, bounds=np.log(RANGE), method="bounded", options={"xatol": 1e-7}).x)
        )
    return {
        "temperature": temperature,
        "split": "validation",
        "images": len(truth),
        "log_loss_before": loss(0.0),
        "log_loss_after": loss(np.log(temperature)),
        "reason": reason,
    }


def _divided(probabilities: npt.ArrayLike, temperature: float) -> npt.NDArray[np.float64]:
    logits = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def calibration_summary(predictions: Predictions) -> dict[str, Any]:
    """Return log loss, Brier score, calibration error and the bins of the reliability diagram.

    Args:
        predictions: with known classes.

    Returns:
        `log_loss`, `brier`, `ece` and `bins`; JSON without NaN.
    """
    judged = JudgedClasses(predictions.probabilities, predictions.truth, predictions.class_names)
    overall = point_figures(judged).overall
    bins = reliability_bins(judged.scores.max(axis=1), judged.predicted == judged.truth)
    return {**{name: number(overall[name][0]) for name in ERRORS}, "bins": bins}
