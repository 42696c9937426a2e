import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_medmamba.metrics import Bootstrap, Predictions, choose_threshold
from monai_medmamba.metrics.operating_points import operating_points, rates


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 40), st.floats(0.1, 1), st.integers(0, 2**32 - 1))
def test_no_other_threshold_is_better(images, target, seed):
    rng = np.random.default_rng(seed)
    scores, member = rng.integers(0, 9, images) / 8, rng.random(images) < 0.5
    member[:2] = True, False
    at = {t: {key: value[0] for key, value in rates(scores >= t, member, None).items()} for t in np.unique(scores)}
    for rule, other in (("sensitivity", "specificity"), ("specificity", "sensitivity")):
        able = [rate[other] for rate in at.values() if rate[rule] >= target - 1e-9]
        chosen = choose_threshold(scores, member, rule, target)
        if not able:
            assert chosen is None
            continue
        assert at[chosen][rule] >= target - 1e-9
        assert at[chosen][other] == max(able)


def made_up(images, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, images)
    positive = np.clip(rng.normal(0.35 + 0.3 * labels, 0.2), 0.01, 0.99)
    scores = np.stack([1 - positive, positive], axis=1).astype(np.float32)
    return Predictions([f"{i}.png" for i in range(images)], labels, scores, ["a", "b"])


def test_validation_chooses_and_the_test_measures():
    validation, test = made_up(300, 0), made_up(400, 1)
    rows = operating_points(validation, test, Bootstrap(resamples=200), {"sensitivity": 0.9, "specificity": 0.8})
    assert [(row["class"], row["rule"]) for row in rows] == [
        *(("a", "sensitivity"), ("a", "specificity"), ("b", "sensitivity"), ("b", "specificity"))
    ]
    for row in rows:
        assert row["validation"][row["rule"]] >= row["target"]
        c = test.class_names.index(row["class"])
        found, member = test.probabilities[:, c] >= row["threshold"], test.labels == c
        assert row["test"]["sensitivity"]["value"] == (found & member).sum() / member.sum()
        assert row["test"]["ppv"]["value"] == (found & member).sum() / found.sum()
        assert row["test"]["npv"]["value"] == (~found & ~member).sum() / (~found).sum()
        assert row["test"]["sensitivity"]["low"] < row["test"]["sensitivity"]["high"]
    json.dumps(rows, allow_nan=False)
    changed = Predictions(test.images, 1 - test.labels, test.probabilities, test.class_names)
    again = operating_points(validation, changed, Bootstrap(resamples=200), {"sensitivity": 0.9, "specificity": 0.8})
    assert [row["threshold"] for row in again] == [row["threshold"] for row in rows]


def test_an_unreachable_target_is_none():
    assert choose_threshold(np.array([0.5, 0.5]), np.array([True, False]), "specificity", 0.9) is None
    assert choose_threshold(np.array([0.5, 0.5]), np.array([True, True]), "sensitivity", 0.9) is None


@pytest.mark.parametrize(("rule", "target"), [("precision", 0.9), ("sensitivity", 0.0), ("specificity", 1.1)])
def test_invalid_arguments(rule, target):
    with pytest.raises(ValueError, match="expected a rule"):
        choose_threshold(np.array([0.5, 0.5]), np.array([True, False]), rule, target)
