import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_medmamba.metrics import Predictions, apply_temperature, fit_temperature
from monai_medmamba.metrics.temperature import calibration_summary


def sampled(images=4000, sharpness=1.0, seed=0):
    """Predictions whose classes are drawn from the probabilities, then sharpened: the temperature is known."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(images, 3))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (rng.random(images)[:, None] > honest.cumsum(axis=1)).sum(axis=1).clip(max=2)
    stated = apply_temperature(honest, 1 / sharpness)
    return Predictions([f"{i}.png" for i in range(images)], labels, stated, ["a", "b", "c"])


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_true_temperature_is_found(sharpness):
    found = fit_temperature(sampled(sharpness=sharpness))
    assert found["temperature"] == pytest.approx(sharpness, rel=0.06)
    assert found["log_loss_after"] <= found["log_loss_before"]
    assert (found["split"], found["images"], found["reason"]) == ("validation", 4000, None)


def test_calibration_carries_over_to_other_images():
    temperature = fit_temperature(sampled(sharpness=2.5))["temperature"]
    test = sampled(sharpness=2.5, seed=1)
    after = Predictions(test.images, test.labels, apply_temperature(test.probabilities, temperature), test.class_names)
    assert calibration_summary(after)["ece"] < calibration_summary(test)["ece"] / 3


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 5), st.integers(0, 2**32 - 1))
def test_it_is_the_temperature_of_the_logits_and_can_be_undone(temperature, seed):
    logits = np.random.default_rng(seed).normal(size=(5, 4)) * 3
    softmax = lambda z: np.exp(z - z.max(1, keepdims=True)) / np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True)  # noqa: E731
    cooled = apply_temperature(softmax(logits), temperature)
    assert cooled == pytest.approx(softmax(logits / temperature), abs=1e-6)
    assert cooled.argmax(axis=1).tolist() == logits.argmax(axis=1).tolist()
    assert apply_temperature(cooled, 1 / temperature) == pytest.approx(softmax(logits), abs=1e-4)


def test_no_error_leaves_the_temperature():
    perfect = Predictions(["1", "2"], np.array([0, 1]), np.float32([[0.9, 0.1], [0.4, 0.6]]), ["a", "b"])
    found = fit_temperature(perfect)
    assert found["temperature"] == 1
    assert "no validation image is classified wrongly" in found["reason"]
    assert found["log_loss_before"] == found["log_loss_after"]


def test_a_rounded_zero_stays_finite():
    assert np.isfinite(apply_temperature(np.float32([[1, 0]]), 0.1)).all()


def test_invalid_arguments():
    with pytest.raises(ValueError, match="above 0"):
        apply_temperature([[0.5, 0.5]], 0.0)
    with pytest.raises(ValueError, match="known classes"):
        fit_temperature(Predictions(["1"], None, np.float32([[0.5, 0.5]]), ["a", "b"]))
