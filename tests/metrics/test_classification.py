import json
import math
import warnings

import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as torch_metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from monai_medmamba.metrics import JudgedClasses, classification_metrics

FIGURES = ("precision", "sensitivity", "specificity", "f1", "auc", "average_precision")
SCALARS = ("precision", "sensitivity", "specificity", "f1", "accuracy", "auc", "balanced_accuracy")


def scores_for(predicted, classes):
    """Give each row 0.7 to the predicted class and share the rest among the others."""
    scores = np.full((len(predicted), classes), 0.3 / (classes - 1))
    scores[np.arange(len(predicted)), predicted] = 0.7
    return scores


@st.composite
def cases(draw, fewest=2, every_class=False):
    number = draw(st.integers(fewest, 6))
    labels = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=40))
    labels = np.array(labels + list(range(number)) * every_class)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few distinct values, so that ties occur.
    logits = rng.integers(-3, 4, size=(len(labels), number)) / 2 + (labels[:, None] == np.arange(number))
    scores = np.exp(logits)
    return scores / scores.sum(axis=1, keepdims=True), labels, [f"class {i}" for i in range(number)]


def test_hand_computed_three_classes():
    labels = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    predicted = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0]
    metrics = classification_metrics(scores_for(predicted, 3), labels, ["a", "b", "c"])
    assert metrics["confusion_matrix"] == [[3, 1, 0], [0, 2, 1], [1, 0, 2]]
    assert metrics["accuracy"] == pytest.approx(7 / 10)
    assert metrics["precision"] == pytest.approx((3 / 4 + 2 / 3 + 2 / 3) / 3)
    assert metrics["sensitivity"] == pytest.approx((3 / 4 + 2 / 3 + 2 / 3) / 3)
    assert metrics["specificity"] == pytest.approx((5 / 6 + 6 / 7 + 6 / 7) / 3)
    assert metrics["f1"] == pytest.approx((3 / 4 + 2 / 3 + 2 / 3) / 3)
    # Two-valued scores: the area is the mean of sensitivity and specificity.
    assert metrics["per_class"][0]["auc"] == pytest.approx((3 / 4 + 5 / 6) / 2)
    assert [row["support"] for row in metrics["per_class"]] == [4, 3, 3]
    assert [row["class"] for row in metrics["per_class"]] == ["a", "b", "c"]
    assert metrics["skipped"] == {}
    assert metrics["never_predicted"] == []


def test_hand_computed_auc_counts_pairs():
    # Positives 0.8, 0.4 against negatives 0.4, 0.1: of four pairs three are in order and one is a tie.
    positive = np.array([0.4, 0.1, 0.8, 0.4])
    metrics = classification_metrics(np.stack([1 - positive, positive], axis=1), [0, 0, 1, 1], ["neg", "pos"])
    assert metrics["auc"] == pytest.approx(3.5 / 4)


@settings(max_examples=60, deadline=None)
@given(cases(every_class=True))
def test_matches_sklearn(case):
    scores, labels, names = case
    metrics = classification_metrics(scores, labels, names)
    predicted = scores.argmax(axis=1)
    precision, sensitivity, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        labels, predicted, average="macro", zero_division=0
    )
    assert metrics["precision"] == pytest.approx(precision)
    assert metrics["sensitivity"] == pytest.approx(sensitivity)
    assert metrics["f1"] == pytest.approx(f1)
    assert metrics["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(labels, predicted))
    assert metrics["balanced_accuracy"] == pytest.approx(sklearn_metrics.balanced_accuracy_score(labels, predicted))
    by_class = sklearn_metrics.multilabel_confusion_matrix(labels, predicted, labels=range(len(names)))
    assert metrics["specificity"] == pytest.approx(np.mean([m[0, 0] / m[0].sum() for m in by_class]))
    if len(names) == 2:
        assert metrics["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores[:, 1]))
    else:
        assert metrics["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores, multi_class="ovr"))
    members = labels[:, None] == np.arange(len(names))
    ranking = [-scores[:, 1], scores[:, 1]] if len(names) == 2 else scores.T
    average = [sklearn_metrics.average_precision_score(members[:, c], row) for c, row in enumerate(ranking)]
    assert [row["average_precision"] for row in metrics["per_class"]] == pytest.approx(average)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_figures_over_all_images_match_sklearn_with_classes_missing(case):
    scores, labels, names = case
    metrics = classification_metrics(scores, labels, names)
    predicted, classes = scores.argmax(axis=1), list(range(len(names)))
    varies = len(set(labels)) > 1 and len(set(predicted)) > 1
    assert (metrics["mcc"] is not None) == varies
    if varies:
        assert metrics["mcc"] == pytest.approx(sklearn_metrics.matthews_corrcoef(labels, predicted))
    for name, weights in (("kappa", None), ("quadratic_kappa", "quadratic")):
        if len(set(labels) | set(predicted)) == 1:
            assert metrics[name] is None
        else:
            expected = sklearn_metrics.cohen_kappa_score(labels, predicted, labels=classes, weights=weights)
            assert metrics[name] == pytest.approx(expected, abs=1e-12)
    assert metrics["log_loss"] == pytest.approx(sklearn_metrics.log_loss(labels, scores, labels=classes))
    target = np.eye(len(names))[labels]
    assert metrics["brier"] == pytest.approx(((scores - target) ** 2).sum(axis=1).mean())


@settings(max_examples=60, deadline=None)
@given(cases(every_class=True))
def test_matches_torchmetrics(case):
    scores, labels, names = case
    metrics = classification_metrics(scores, labels, names)
    number, truth, given_scores = len(names), torch.from_numpy(labels), torch.from_numpy(scores)
    predicted = torch.from_numpy(scores.argmax(axis=1))  # torch does not promise the first of equals
    for name, theirs in {
        "precision": torch_metrics.multiclass_precision,
        "sensitivity": torch_metrics.multiclass_recall,
        "specificity": torch_metrics.multiclass_specificity,
        "f1": torch_metrics.multiclass_f1_score,
    }.items():
        by_class = theirs(predicted, truth, number, average="none").tolist()
        assert [row[name] for row in metrics["per_class"]] == pytest.approx(by_class)
        assert metrics[name] == pytest.approx(float(theirs(predicted, truth, number, average="macro")))
    assert metrics["accuracy"] == pytest.approx(
        float(torch_metrics.multiclass_accuracy(predicted, truth, number, average="micro"))
    )
    matrix = torch_metrics.multiclass_confusion_matrix(predicted, truth, number)
    assert metrics["confusion_matrix"] == matrix.tolist()
    for name, theirs in {
        "auc": torch_metrics.multiclass_auroc,
        "average_precision": torch_metrics.multiclass_average_precision,
    }.items():
        # Two classes share one ranking here, without the ties that rounding adds to the first column.
        ranking = torch.stack([1 - given_scores[:, 1], given_scores[:, 1]], dim=1) if number == 2 else given_scores
        assert metrics[name] == pytest.approx(float(theirs(ranking, truth, number, average="macro")), abs=1e-6)
    for name, weights in (("kappa", None), ("quadratic_kappa", "quadratic")):
        expected = float(torch_metrics.multiclass_cohen_kappa(predicted, truth, number, weights=weights))
        assert metrics[name] == pytest.approx(expected, abs=1e-6)
    if len(set(predicted.tolist())) > 1:
        expected = float(torch_metrics.multiclass_matthews_corrcoef(predicted, truth, number))
        assert metrics["mcc"] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_calibration_error_matches_torchmetrics(classes, images, seed):
    # Continuous scores: a bin has its upper edge here and its lower edge there.
    rng = np.random.default_rng(seed)
    scores, labels = rng.dirichlet(np.ones(classes), images), rng.integers(0, classes, images)
    expected = torch_metrics.multiclass_calibration_error(
        torch.from_numpy(scores), torch.from_numpy(labels), classes, n_bins=15, norm="l1"
    )
    found = classification_metrics(scores, labels, [f"class {c}" for c in range(classes)])["ece"]
    assert found == pytest.approx(float(expected), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(cases(every_class=True), st.integers(0, 2**32 - 1))
def test_a_weight_counts_an_image_as_often_as_a_copy_of_it(case, seed):
    scores, labels, names = case
    weights = np.random.default_rng(seed).integers(0, 4, len(labels))
    weights[-len(names) :] += 1  # every class stays
    judged = JudgedClasses(scores, labels, names)
    overall, by_class = judged.figures(np.stack([np.ones(len(labels)), weights.astype(float)]))
    copied = classification_metrics(np.repeat(scores, weights, axis=0), np.repeat(labels, weights), names)
    for name, values in overall.items():
        undefined = copied[name] is None
        assert np.isnan(values[1]) if undefined else values[1] == pytest.approx(copied[name], abs=1e-12)
    for name, values in by_class.items():
        assert values[1].tolist() == pytest.approx([row[name] for row in copied["per_class"]])


def test_quadratic_kappa_forgives_near_misses():
    near, far = ([0, 1, 2, 1], [0, 1, 2, 2]), ([0, 1, 2, 1], [2, 1, 2, 1])
    values = [classification_metrics(scores_for(p, 3), t, list("abc")) for t, p in (near, far)]
    assert values[0]["quadratic_kappa"] > values[1]["quadratic_kappa"]
    assert values[0]["accuracy"] == values[1]["accuracy"]


def test_one_image():
    metrics = classification_metrics([[0.2, 0.8]], [1], ["a", "b"])
    assert metrics["accuracy"] == metrics["sensitivity"] == metrics["precision"] == 1
    assert [metrics[name] for name in ("auc", "average_precision", "specificity", "kappa", "mcc")] == [None] * 5
    assert metrics["brier"] == pytest.approx(2 * 0.2**2)
    assert metrics["ece"] == pytest.approx(0.2)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_result_is_json_and_in_range(case):
    scores, labels, names = case
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = classification_metrics(scores, labels, names)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert all(metrics[name] is None or 0 <= metrics[name] <= 1 for name in SCALARS)
    assert np.sum(metrics["confusion_matrix"]) == len(labels)
    assert np.sum(metrics["confusion_matrix"], axis=1).tolist() == [row["support"] for row in metrics["per_class"]]


@settings(max_examples=40, deadline=None)
@given(cases(fewest=3, every_class=True), st.randoms(use_true_random=False))
def test_order_of_images_and_classes_does_not_matter(case, random):
    scores, labels, names = case
    scores = scores + np.arange(len(names)) * 1e-7  # break ties, whose winner is the first class by definition
    images = random.sample(range(len(labels)), len(labels))
    order = random.sample(range(len(names)), len(names))
    before = classification_metrics(scores, labels, names)
    after = classification_metrics(
        scores[images][:, order], np.argsort(order)[labels[images]], [names[i] for i in order]
    )
    assert [after[name] for name in SCALARS] == pytest.approx([before[name] for name in SCALARS])
    key = lambda row: row["class"]  # noqa: E731
    for a, b in zip(sorted(after["per_class"], key=key), sorted(before["per_class"], key=key), strict=True):
        assert a == pytest.approx(b)


def test_absent_class_is_undefined_and_skipped():
    metrics = classification_metrics(scores_for([0, 1, 2, 1], 3), [0, 0, 1, 1], ["a", "b", "absent"])
    absent = metrics["per_class"][2]
    assert absent == {"class": "absent", "support": 0, **dict.fromkeys(FIGURES)}
    assert metrics["skipped"] == {figure: ["absent"] for figure in FIGURES}
    assert metrics["sensitivity"] == metrics["balanced_accuracy"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert metrics["precision"] == pytest.approx((1 / 1 + 1 / 2) / 2)
    assert metrics["never_predicted"] == []


def test_only_one_class_has_neither_specificity_nor_auc():
    metrics = classification_metrics(scores_for([0, 0, 1], 2), [0, 0, 0], ["a", "b"])
    assert metrics["specificity"] is None
    assert metrics["auc"] is None
    assert metrics["sensitivity"] == pytest.approx(2 / 3)
    assert metrics["skipped"]["auc"] == metrics["skipped"]["specificity"] == ["a", "b"]
    assert metrics["skipped"]["f1"] == ["b"]


def test_class_never_predicted_lowers_the_average_and_is_named():
    metrics = classification_metrics(scores_for([0, 0, 0, 1], 3), [0, 0, 2, 1], ["a", "b", "ignored"])
    assert metrics["never_predicted"] == ["ignored"]
    assert metrics["per_class"][2]["precision"] == 0
    assert metrics["precision"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_two_classes_share_the_auc_of_the_positive_class():
    # In float32 the first column is 1.0 three times over; only the second still tells the images apart.
    positive = np.float32([1e-12, 1e-10, 1e-9, 0.5])
    scores = np.stack([1 - positive, positive], axis=1)
    metrics = classification_metrics(scores, [0, 0, 1, 1], ["neg", "pos"])
    assert [row["auc"] for row in metrics["per_class"]] == [1, 1]
    assert metrics["auc"] == sklearn_metrics.roc_auc_score([0, 0, 1, 1], positive) == 1


def test_perfect_and_always_wrong():
    names = ["a", "b", "c"]
    perfect = classification_metrics(scores_for([0, 1, 2], 3), [0, 1, 2], names)
    wrong = classification_metrics(scores_for([1, 2, 0], 3), [0, 1, 2], names)
    assert [perfect[name] for name in SCALARS] == [1.0] * 7
    assert [wrong[name] for name in ("precision", "sensitivity", "f1", "accuracy", "balanced_accuracy")] == [0.0] * 5
    assert math.isclose(wrong["specificity"], 0.5)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([[2.0, -1.0]], [0], "softmax"),
        ([[0.5, 0.5]], [0, 1], "shape"),
        ([[0.5, 0.5]], [2], r"in \[0, 1\], got 2"),
        (np.zeros((0, 2)), np.zeros(0, dtype=int), "empty"),
    ],
)
def test_invalid_arguments(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        classification_metrics(scores, labels, ["a", "b"])
