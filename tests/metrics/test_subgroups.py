import numpy as np
import pytest

from monai_medmamba.metrics import Bootstrap, Predictions, classification_metrics, subgroup_figures


@pytest.fixture
def test_set():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    scores = np.clip(0.5 + (labels * 2 - 1) * 0.2 + rng.normal(0, 0.2, 60), 0.02, 0.98)
    return Predictions(
        [f"{i}.png" for i in range(60)], labels, np.float32(np.stack([1 - scores, scores], axis=1)), ["a", "b"]
    )


def test_each_part_has_its_own_figures(test_set):
    sites = ["north"] * 20 + ["south"] * 30 + [""] * 10
    patients = [str(i // 2) for i in range(60)]
    (table,) = subgroup_figures(test_set, {"site": sites}, Bootstrap(patients, resamples=150))
    assert [(row["value"], row["images"], row["units"]) for row in table["rows"]] == [
        *(("north", 20, 10), ("south", 30, 15), ("not given", 10, 5))
    ]
    north = classification_metrics(test_set.probabilities[:20], test_set.labels[:20], test_set.class_names)
    for name, row in table["rows"][0]["figures"].items():
        assert row["value"] == pytest.approx(north[name])
        assert row["low"] <= row["high"]


def test_a_part_of_one_class_has_no_auc(test_set):
    (table,) = subgroup_figures(test_set, {"finding": ["x", "y"] * 30}, Bootstrap(resamples=100))
    assert [row["figures"]["auc"]["value"] for row in table["rows"]] == [None, None]


@pytest.mark.parametrize(("values", "message"), [(["x"], "each of 60"), ([str(i) for i in range(60)], "at most 12")])
def test_invalid_arguments(test_set, values, message):
    with pytest.raises(ValueError, match=f"column age: expected .*{message}"):
        subgroup_figures(test_set, {"age": values}, Bootstrap(resamples=10))
