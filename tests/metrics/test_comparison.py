import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from monai_medmamba.metrics import Bootstrap, Predictions, classification_metrics, compare_predictions
from monai_medmamba.metrics.comparison import matching_order


def made_up(skill, images=200, seed=0, noise=1):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, images)
    logits = np.random.default_rng(noise).normal(size=(images, 3)) + skill * np.eye(3)[labels]
    scores = np.exp(logits)
    scores = np.float32(scores / scores.sum(axis=1, keepdims=True))
    return Predictions([f"set/{i}.png" for i in range(images)], labels, scores, ["a", "b", "c"])


def shuffled(predictions, seed=3):
    order = np.random.default_rng(seed).permutation(len(predictions.images))
    return replace(
        predictions,
        images=[predictions.images[place] for place in order],
        labels=predictions.labels[order],
        probabilities=predictions.probabilities[order],
    )


def test_differences_are_those_of_the_figures():
    first, second = made_up(1), made_up(2, noise=2)
    found = compare_predictions(first, shuffled(second), Bootstrap(resamples=200))
    before, after = (classification_metrics(p.probabilities, p.labels, p.class_names) for p in (first, second))
    for name, row in found["figures"].items():
        assert row["difference"]["value"] == pytest.approx(after[name] - before[name])
    assert found["figures"]["auc"]["difference"]["low"] > 0
    assert found["figures"]["brier"]["difference"]["high"] < 0
    assert found["figures"]["brier"]["lower_is_better"]
    json.dumps(found, allow_nan=False)


def test_pairing_narrows_the_interval():
    first = made_up(1.5)
    second = replace(first, probabilities=np.roll(first.probabilities, 0))
    second.probabilities[:5] = second.probabilities[:5, ::-1]
    row = compare_predictions(first, second, Bootstrap(resamples=300))["figures"]["accuracy"]["difference"]
    assert row["high"] - row["low"] < 0.06


def test_a_run_equals_itself():
    found = compare_predictions(made_up(1), shuffled(made_up(1)), Bootstrap(resamples=150))
    for row in found["figures"].values():
        assert row["difference"]["low"] == pytest.approx(0, abs=1e-12)
        assert row["difference"]["high"] == pytest.approx(0, abs=1e-12)
    assert found["mcnemar"] == {"only_first_right": 0, "only_second_right": 0, "p_value": 1.0}


def test_mcnemar_counts_the_images_that_part_them():
    first, second = made_up(1), made_up(2, noise=2)
    found = compare_predictions(first, second, Bootstrap(resamples=50))["mcnemar"]
    a, b = first.predicted == first.labels, second.predicted == second.labels
    assert (found["only_first_right"], found["only_second_right"]) == ((a & ~b).sum(), (b & ~a).sum())
    assert found["p_value"] == pytest.approx(binomtest((a & ~b).sum(), (a != b).sum()).pvalue)


def test_images_match_below_their_common_folder():
    first = made_up(1, images=6)
    moved = replace(first, images=[f"/elsewhere/{image}" for image in first.images])
    assert matching_order(first, shuffled(moved)) == [shuffled(moved).images.index(i) for i in moved.images]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: replace(p, class_names=["a", "b", "d"]), "the classes differ"),
        (lambda p: replace(p, labels=None), "evaluate a labelled split"),
        (lambda p: replace(p, images=["set/other.png", *p.images[1:]]), r"only in the first \(0.png\).*\(other.png\)"),
        (lambda p: replace(p, images=[p.images[1], *p.images[1:]]), "listed again: 1.png"),
        (lambda p: replace(p, labels=np.r_[(p.labels[0] + 1) % 3, p.labels[1:]]), "true class differs .* 0.png"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(change, message):
    first = made_up(1, images=5)
    with pytest.raises(ValueError, match=message):
        compare_predictions(first, change(first), Bootstrap(resamples=10))
