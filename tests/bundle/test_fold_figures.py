"""Figures over folds, from files that evaluations leave."""

import json

import numpy as np
import pytest

from monai_medmamba.bundle import fold_figures, pool_folds
from monai_medmamba.metrics import Bootstrap, JudgedClasses, bootstrap_intervals, read_predictions, write_predictions

NAMES = ["a", "b"]


def table(path, images, seed):
    rng = np.random.default_rng(seed)
    truth = np.arange(len(images)) % 2
    probabilities = rng.dirichlet([1, 1], len(images)).astype(np.float32)
    write_predictions(path, images, truth, probabilities, NAMES)


@pytest.fixture
def folder(tmp_path):
    """Three folds of ten images each, which share a test split of twelve."""
    for run in ("fold0", "fold1", "fold2", "ensemble"):
        evaluation = tmp_path / run / "evaluation"
        evaluation.mkdir(parents=True)
        seed = len(run) + ord(run[-1])
        table(evaluation / "predictions.csv", [f"/data/test{i}.png" for i in range(12)], seed)
        test = read_predictions(evaluation / "predictions.csv")
        judged, bootstrap = JudgedClasses(test.probabilities, test.truth, NAMES), Bootstrap(resamples=100)
        found = {"bootstrap": bootstrap.describe(12), **bootstrap_intervals(judged, bootstrap)}
        (evaluation / "evidence.json").write_text(json.dumps(found))
        if run != "ensemble":
            table(evaluation / "validation.csv", [f"/data/{run}-{i}.png" for i in range(10)], seed + 1)
    return tmp_path


def test_pooled_predictions_are_where_the_ensemble_looks_for_them(folder):
    pooled = pool_folds(folder, 3)
    assert len(pooled.images) == len(set(pooled.images)) == 30
    written = read_predictions(folder / "ensemble" / "evaluation" / "validation.csv")
    assert written.images == pooled.images
    np.testing.assert_array_equal(written.probabilities, pooled.probabilities)


def test_figures(folder):
    found = fold_figures(folder, 3, resamples=200)
    by_fold = found["validation"]["by_fold"]
    for k, row in enumerate(by_fold):
        part = read_predictions(folder / f"fold{k}" / "evaluation" / "validation.csv")
        assert row["images"] == 10
        assert row["accuracy"] == pytest.approx((part.predicted == part.truth).mean())
    means = found["validation"]["over_folds"]["accuracy"]
    assert means["mean"] == pytest.approx(np.mean([row["accuracy"] for row in by_fold]))
    assert means["std"] == pytest.approx(np.std([row["accuracy"] for row in by_fold], ddof=1))
    pooled = found["pooled"]["figures"]["accuracy"]
    assert pooled["value"] == pytest.approx(means["mean"])  # folds of one size
    assert pooled["low"] < pooled["value"] < pooled["high"]
    assert (found["pooled"]["images"], found["ensemble"]["images"]) == (30, 12)
    assert json.loads((folder / "cross_validation.json").read_text()) == found
    lines = (folder / "cross_validation.csv").read_text().splitlines()
    assert lines[0] == "what,images,accuracy,balanced_accuracy,auc,f1"
    assert [line.split(",")[0] for line in lines[1:]][-2:] == ["pooled", "ensemble"]
    assert len(lines) == 1 + 3 + 3 + 2


def test_resamples_are_drawn_by_patient(folder):
    """All images of fold 0 are of one patient: five units fewer than images would be."""
    listed = [{"image": f"fold{k}-{i}.png", "patient": "p" if k == 0 else None} for k in range(3) for i in range(10)]
    content = {"root": "/data", "training": listed, "validation": [], "test": []}
    (folder / "ensemble" / "evaluation" / "datalist.json").write_text(json.dumps(content))
    drawn = fold_figures(folder, 3, resamples=100)["pooled"]["bootstrap"]
    assert (drawn["unit"], drawn["units"]) == ("patient", 21)


def test_an_image_in_two_folds_is_refused(folder):
    table(folder / "fold1" / "evaluation" / "validation.csv", ["/data/fold0-3.png"], 0)
    with pytest.raises(ValueError, match="an image is in two folds"):
        pool_folds(folder, 3)


def test_a_missing_fold(folder):
    with pytest.raises(FileNotFoundError, match=r"fold3/evaluation/validation\.csv is missing"):
        fold_figures(folder, 4)
