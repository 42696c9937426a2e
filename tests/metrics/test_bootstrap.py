import json
import time

import numpy as np
import pytest

from monai_medmamba.metrics import Bootstrap, JudgedClasses, bootstrap_intervals, classification_metrics


def made_up(images, classes, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, images)
    logits = rng.normal(size=(images, classes)) + 1.5 * np.eye(classes)[truth]
    scores = np.exp(logits)
    return scores / scores.sum(axis=1, keepdims=True), truth, [f"class {c}" for c in range(classes)]


def test_values_are_the_figures_of_the_images():
    scores, truth, names = made_up(120, 3)
    found, expected = (
        bootstrap_intervals(JudgedClasses(scores, truth, names), Bootstrap(resamples=120)),
        classification_metrics(scores, truth, names),
    )
    for name, row in found["figures"].items():
        assert row["value"] == expected[name]
        assert row["low"] <= row["value"] <= row["high"] or name == "ece"  # whose resamples lie higher: it is biased
    for row, table in zip(found["per_class"], expected["per_class"], strict=True):
        assert row["class"] == table["class"]
        assert row["auc"]["value"] == table["auc"]
    json.dumps(found, allow_nan=False)


def test_a_resample_is_a_sample_with_copies():
    scores, truth, names = made_up(60, 3)
    judged, bootstrap = JudgedClasses(scores, truth, names), Bootstrap(resamples=120, seed=5)
    weights = np.concatenate(list(bootstrap.blocks(60))).astype(int)
    assert (weights.sum(axis=1) == 60).all()
    copies = [
        classification_metrics(np.repeat(scores, row, axis=0), np.repeat(truth, row), names)["auc"] for row in weights
    ]
    interval = bootstrap_intervals(judged, bootstrap)["figures"]["auc"]
    assert [interval["low"], interval["high"]] == pytest.approx(np.quantile(copies, [0.025, 0.975]))


def test_the_interval_of_a_share_is_that_of_statistics():
    scores = np.repeat([[0.9, 0.1], [0.2, 0.8]], [80, 20], axis=0)  # accuracy 0.8 of 100
    row = bootstrap_intervals(JudgedClasses(scores, [0] * 100, ["a", "b"]), Bootstrap(resamples=4000))["figures"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 100)
    assert row["accuracy"]["low"] == pytest.approx(0.8 - half, abs=0.015)
    assert row["accuracy"]["high"] == pytest.approx(0.8 + half, abs=0.015)


def test_patients_are_drawn_whole_and_widen_the_interval():
    scores, truth, names = made_up(30, 2)
    copied = [np.repeat(array, 10, axis=0) for array in (scores, truth)]
    patients = [str(place // 10) for place in range(300)]
    weights = next(Bootstrap(patients, resamples=20).blocks(300))
    assert (weights.reshape(20, 30, 10) == weights.reshape(20, 30, 10)[:, :, :1]).all()
    judged = JudgedClasses(*copied, names)
    widths = []
    for groups in (None, patients):
        row = bootstrap_intervals(judged, Bootstrap(groups))["figures"]["accuracy"]
        widths.append(row["high"] - row["low"])
    assert widths[1] > 2 * widths[0]


def test_an_image_without_a_patient_is_a_unit_of_its_own():
    assert Bootstrap(["ann", None, "ann", None]).units(4).tolist() == [0, 1, 0, 2]


def test_the_seed_fixes_the_draws():
    first, again, other = (next(Bootstrap(seed=seed, resamples=3).blocks(50)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_resamples_without_a_class_are_left_out_and_counted():
    scores, truth, names = made_up(40, 2)
    scores, truth = np.pad(scores, ((0, 1), (0, 0)), constant_values=0.5), np.append(truth, 0)
    names = [*names, "rare"]
    scores = np.hstack([scores, np.zeros((41, 1))])
    scores[-1] = [0.1, 0.1, 0.8]
    truth[-1] = 2
    found = bootstrap_intervals(JudgedClasses(scores, truth, names), Bootstrap(resamples=1000))
    lacking = (1 - 1 / 41) ** 41
    assert found["per_class"][2]["sensitivity"]["resamples"] == pytest.approx(1000 * (1 - lacking), abs=60)
    assert found["figures"]["auc"]["resamples"] == found["per_class"][2]["auc"]["resamples"] < 1000
    assert found["figures"]["accuracy"]["resamples"] == 1000


def test_too_few_resamples_give_no_interval():
    bootstrap = Bootstrap(resamples=1000)
    row = bootstrap.interval(0.5, np.r_[np.full(950, np.nan), np.linspace(0, 1, 50)])
    assert row == {"value": 0.5, "low": None, "high": None, "resamples": 50}


def test_one_image_has_an_interval_of_no_width():
    row = bootstrap_intervals(JudgedClasses([[0.9, 0.1]], [0], ["a", "b"]), Bootstrap())["figures"]
    assert (row["accuracy"]["low"], row["accuracy"]["high"]) == (1, 1)
    assert row["auc"] == {"value": None, "low": None, "high": None, "resamples": 0}


def test_a_thousand_resamples_of_five_thousand_images_take_seconds():
    judged = JudgedClasses(*made_up(5000, 8))
    start = time.perf_counter()
    bootstrap_intervals(judged, Bootstrap(resamples=1000))
    assert time.perf_counter() - start < 20  # 1.3 s on one core of 2026; room for a busy machine


def test_settings_name_no_patient():
    assert Bootstrap(["Doe", "Doe", "Roe"]).describe(3)["units"] == 2
    assert "Doe" not in json.dumps(Bootstrap(["Doe", "Doe", "Roe"]).describe(3))


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"confidence": 1.0}])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError, match="expected"):
        Bootstrap(**wrong)
    with pytest.raises(ValueError, match="each of 3 images"):
        Bootstrap(["a"]).units(3)
