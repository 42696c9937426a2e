import json

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from monai_medmamba.metrics import Bootstrap, JudgedClasses
from monai_medmamba.metrics.curves import curves_with_bands


def test_curves_match_sklearn():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    scores = rng.dirichlet(np.ones(3), 200) * 0.6 + 0.4 * np.eye(3)[truth] * rng.random((200, 1))
    scores /= scores.sum(axis=1, keepdims=True)
    found = curves_with_bands(JudgedClasses(scores, truth, ["a", "b", "c"]), Bootstrap(resamples=100))
    grid = found["roc"]["false_positive_rate"]
    for c in range(3):
        rate, share, _ = sklearn_metrics.roc_curve(truth == c, scores[:, c], drop_intermediate=False)
        assert found["roc"]["classes"][c]["value"] == pytest.approx(np.interp(grid, rate, share), abs=1e-6)
        precision, recall, _ = sklearn_metrics.precision_recall_curve(truth == c, scores[:, c])
        # Of the thresholds that reach a recall, the first, which is the highest.
        expected = [precision[recall >= place - 1e-9][-1] if place else None for place in grid]
        assert found["precision_recall"]["classes"][c]["value"][1:] == pytest.approx(expected[1:], abs=1e-6)
    for kind in ("roc", "precision_recall"):
        for row in found[kind]["classes"]:
            assert all(low <= high for low, high in zip(row["low"], row["high"], strict=True))
            inside = [low <= v <= high for low, v, high in zip(row["low"], row["value"], row["high"], strict=True)]
            assert np.mean(inside) > 0.9
    json.dumps(found, allow_nan=False)


def test_a_class_without_images_has_no_curve():
    found = curves_with_bands(JudgedClasses([[0.9, 0.1]] * 3, [0] * 3, ["a", "b"]), Bootstrap(resamples=20))
    assert set(found["roc"]["classes"][0]["value"]) == {None}
    assert set(found["precision_recall"]["classes"][1]["low"]) == {None}
