import json

import numpy as np
import pytest

from monai_medmamba.metrics import Bootstrap, Predictions
from monai_medmamba.metrics.abstention import abstention


def stated(confidence, right):
    """Predictions of the first of two classes with these confidences, right or wrong."""
    confidence = np.asarray(confidence, dtype=np.float32)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    return Predictions([f"{i}.png" for i in range(len(scores))], 1 - np.int64(right), scores, ["a", "b"])


def test_the_curve_counted_by_hand():
    test = stated([0.9, 0.8, 0.7, 0.6], [True, True, False, True])
    found = abstention(None, test, Bootstrap(resamples=200))
    at = dict(zip(found["coverage"], found["risk"], strict=True))
    assert (at[0.25], at[0.5], at[0.75], at[1.0]) == pytest.approx((0, 0, 1 / 3, 1 / 4), abs=1e-6)
    assert at[0.0] == 0
    assert found["aurc"]["value"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    assert found["threshold"] is None
    json.dumps(found, allow_nan=False)


def test_validation_chooses_the_lowest_threshold_that_is_good_enough():
    validation = stated([0.9, 0.8, 0.7, 0.6], [True, True, False, False])
    test = stated([0.95, 0.85, 0.75, 0.65], [True, False, True, False])
    found = abstention(validation, test, Bootstrap(resamples=200), target_accuracy=0.9)
    assert found["threshold"] == pytest.approx(0.8, abs=1e-6)
    assert found["validation"] == {"coverage": 0.5, "accuracy": 1.0}
    assert (found["test"]["coverage"]["value"], found["test"]["accuracy"]["value"]) == (0.5, 0.5)
    assert found["test"]["coverage"]["low"] < 0.5 < found["test"]["coverage"]["high"]


def test_where_all_are_good_enough_none_is_left_out():
    found = abstention(stated([0.9, 0.6], [True, True]), stated([0.9, 0.6], [True, True]), Bootstrap(resamples=100))
    assert found["test"]["coverage"]["value"] == 1


def test_no_threshold_reaches_the_target():
    assert abstention(stated([0.9], [False]), stated([0.9], [True]), Bootstrap(resamples=100))["threshold"] is None
