import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from monai_medmamba.metrics.probability_error import (
    calibration_error,
    log_losses,
    reliability_bins,
    squared_errors,
    weighted_mean,
)


def slow_calibration_error(confidence, right, weights):
    """The definition, bin by bin."""
    error = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        inside = (confidence > low) & (confidence <= high) if number else confidence <= high
        if weights[inside].sum():
            means = [np.average(values[inside], weights=weights[inside]) for values in (confidence, right)]
            error += weights[inside].sum() / weights.sum() * abs(means[0] - means[1])
    return error


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_calibration_error_matches_its_definition(images, seed):
    rng = np.random.default_rng(seed)
    confidence, right = rng.random(images), rng.random(images) < 0.6
    weights = rng.integers(0, 3, (2, images)).astype(float) + 1
    found = calibration_error(confidence, right, weights)
    assert found == pytest.approx([slow_calibration_error(confidence, right, row) for row in weights])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_brier_matches_sklearn(classes, images, seed):
    rng = np.random.default_rng(seed)
    scores, truth = rng.dirichlet(np.ones(classes), images), rng.integers(0, classes, images)
    expected = sklearn_metrics.brier_score_loss(
        np.eye(classes, dtype=int)[truth] if classes > 2 else truth,
        scores if classes > 2 else scores[:, 1],
        **({} if classes > 2 else {"labels": [0, 1]}),
        scale_by_half=False,
    )
    assert squared_errors(scores, truth).mean() == pytest.approx(expected)


def test_a_probability_of_zero_has_a_finite_loss():
    assert np.isfinite(log_losses(np.array([[1.0, 0.0]]), np.array([1]))).all()


def test_weighted_mean():
    assert weighted_mean(np.array([1.0, 3.0]), np.array([[1.0, 1], [3, 1]])).tolist() == [2, 1.5]


def test_bins_hold_every_image_once():
    rng = np.random.default_rng(0)
    confidence, right = rng.random(200), rng.random(200) < 0.5
    bins = reliability_bins(confidence, right)
    assert sum(row["images"] for row in bins) == 200
    error = sum(row["images"] * abs(row["confidence"] - row["accuracy"]) for row in bins) / 200
    assert error == pytest.approx(calibration_error(confidence, right, np.ones((1, 200)))[0])
    assert reliability_bins(np.array([0.0, 1.0]), np.array([True, True]))[-1]["high"] == 1
