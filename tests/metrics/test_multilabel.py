import json

import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as torch_metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from monai_medmamba.metrics import Bootstrap, JudgedFindings, bootstrap_intervals, multilabel_metrics


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_matches_sklearn(classes, images, seed):
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 9, (images, classes)) / 8, rng.integers(0, 2, (images, classes))
    names = [f"class {c}" for c in range(classes)]
    metrics = multilabel_metrics(scores, truth, names)
    found = scores >= 0.5
    assert metrics["exact_match"] == pytest.approx(sklearn_metrics.accuracy_score(truth, found))
    assert metrics["accuracy"] == pytest.approx(1 - sklearn_metrics.hamming_loss(truth, found))
    for c, row in enumerate(metrics["per_class"]):
        member, yes = truth[:, c], found[:, c]
        assert row["brier"] == pytest.approx(sklearn_metrics.brier_score_loss(member, scores[:, c], labels=[0, 1]))
        assert row["support"] == member.sum()
        if not member.any():
            assert row["f1"] is row["auc"] is row["precision"] is row["sensitivity"] is None
            continue
        scored = sklearn_metrics.precision_recall_fscore_support(member, yes, average="binary", zero_division=0)
        assert [row["precision"], row["sensitivity"], row["f1"]] == pytest.approx(scored[:3])
        if member.all():
            assert row["specificity"] is row["auc"] is None
            continue
        assert row["specificity"] == pytest.approx(sklearn_metrics.recall_score(1 - member, ~yes))
        assert row["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(member, scores[:, c]))
        assert row["average_precision"] == pytest.approx(sklearn_metrics.average_precision_score(member, scores[:, c]))
        if yes.any() and not yes.all():
            assert row["mcc"] == pytest.approx(sklearn_metrics.matthews_corrcoef(member, yes))
    for name in ("precision", "auc", "ece", "mcc"):
        defined = [row[name] for row in metrics["per_class"] if row[name] is not None]
        assert metrics[name] == (pytest.approx(np.mean(defined)) if defined else None)
    json.dumps(metrics, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_matches_torchmetrics(classes, images, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (images, classes))
    truth[0], truth[1] = 0, 1  # both answers of every label
    scores = rng.random((images, classes))
    metrics = multilabel_metrics(scores, truth, [f"class {c}" for c in range(classes)])
    given_scores, labels = torch.from_numpy(scores), torch.from_numpy(truth)
    found = (given_scores >= 0.5).long()  # at the threshold itself, torchmetrics says no
    for name, theirs in {
        "precision": torch_metrics.multilabel_precision,
        "sensitivity": torch_metrics.multilabel_recall,
        "specificity": torch_metrics.multilabel_specificity,
        "f1": torch_metrics.multilabel_f1_score,
    }.items():
        by_class = theirs(found, labels, classes, average="none").tolist()
        assert [row[name] for row in metrics["per_class"]] == pytest.approx(by_class)
        assert metrics[name] == pytest.approx(float(theirs(found, labels, classes, average="macro")))
    for name, theirs in {
        "auc": torch_metrics.multilabel_auroc,
        "average_precision": torch_metrics.multilabel_average_precision,
    }.items():
        assert metrics[name] == pytest.approx(float(theirs(given_scores, labels, classes)), abs=1e-6)
    assert metrics["accuracy"] == pytest.approx(
        float(torch_metrics.multilabel_accuracy(found, labels, classes, average="micro"))
    )
    assert metrics["exact_match"] == pytest.approx(float(torch_metrics.multilabel_exact_match(found, labels, classes)))
    for c, row in enumerate(metrics["per_class"]):
        stated = given_scores[:, c].contiguous()
        expected = torch_metrics.binary_calibration_error(stated, labels[:, c], n_bins=15, norm="l1")
        assert row["ece"] == pytest.approx(float(expected), abs=1e-6)
        if 0 < found[:, c].sum() < images:
            expected = torch_metrics.binary_matthews_corrcoef(found[:, c], labels[:, c])
            assert row["mcc"] == pytest.approx(float(expected), abs=1e-6)


def test_intervals_hold_the_value():
    rng = np.random.default_rng(0)
    truth = rng.random((200, 3)) < 0.4
    scores = np.clip(truth * 0.3 + rng.random((200, 3)) * 0.7, 0, 1)
    found = bootstrap_intervals(JudgedFindings(scores, truth, ["a", "b", "c"]), Bootstrap(resamples=300))
    for figure in ("auc", "f1", "exact_match", "balanced_accuracy"):
        row = found["figures"][figure]
        assert row["low"] < row["value"] < row["high"]


def test_a_threshold_for_each_class():
    judged = JudgedFindings([[0.4, 0.4]], [[1, 1]], ["a", "b"], thresholds=[0.3, 0.5])
    assert judged.found.tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([[1.2, 0.1]], [[1, 0]], "sigmoid"),
        ([[0.2, 0.1]], [[1, 2]], "0 or 1"),
        ([[0.2, 0.1]], [1, 0], "shape"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "at least 1"),
    ],
)
def test_invalid_arguments(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        multilabel_metrics(scores, labels, ["a", "b"])
