import math

import pytest
import torch

from monai_medmamba.handlers import ClassificationFigure
from monai_medmamba.metrics import classification_metrics, multilabel_metrics
from testing.training import Toy


def items(probabilities, labels):
    return [{"pred": torch.tensor(p), "label": label} for p, label in zip(probabilities, labels, strict=True)]


@pytest.mark.parametrize("figure", ["auc", "accuracy", "balanced_accuracy", "f1"])
def test_equals_the_function_that_the_report_uses(figure):
    probabilities = torch.rand(20, 3).softmax(-1)
    labels = [i % 3 for i in range(20)]
    metric = ClassificationFigure(figure, ["a", "b", "c"])
    for start in range(0, 20, 7):  # batches
        metric.update(items(probabilities[start : start + 7].tolist(), labels[start : start + 7]))
    expected = classification_metrics(probabilities.numpy(), labels, ["a", "b", "c"])[figure]
    assert metric.compute() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("figure", ["auc", "accuracy", "loss"])
def test_a_whole_batch_says_what_its_items_say(figure):
    probabilities, labels = torch.rand(9, 2).softmax(-1), torch.arange(9) % 2
    whole, apart = (ClassificationFigure(figure, ["a", "b"]) for _ in range(2))
    whole.update((probabilities, labels))
    apart.update(items(probabilities.tolist(), labels.tolist()))
    assert whole.compute() == pytest.approx(apart.compute())


@pytest.mark.parametrize("figure", ["auc", "accuracy", "f1", "loss"])
def test_several_labels(figure):
    probabilities, labels = torch.rand(12, 2), torch.rand(12, 2).round().long()
    metric = ClassificationFigure(figure, ["a", "b"])
    metric.update((probabilities[:5], labels[:5]))
    metric.update(items(probabilities[5:].tolist(), labels[5:]))
    expected = multilabel_metrics(probabilities.numpy(), labels.numpy(), ["a", "b"])
    assert metric.compute() == pytest.approx(expected["log_loss" if figure == "loss" else figure])
    if figure == "loss":
        by_torch = torch.nn.functional.binary_cross_entropy(probabilities, labels.float())
        assert metric.compute() == pytest.approx(by_torch.item(), rel=1e-5)


def test_missing_labels_are_refused():
    with pytest.raises(ValueError, match="expected a label with each image to compute auc"):
        ClassificationFigure("auc", ["a", "b"]).update([{"pred": torch.tensor([0.5, 0.5])}])


def test_loss_is_the_mean_negative_log_likelihood():
    metric = ClassificationFigure("loss", ["a", "b"])
    metric.update(items([[0.5, 0.5], [0.25, 0.75]], [0, 1]))
    assert metric.compute() == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)


def test_a_figure_that_is_undefined_is_nan():
    metric = ClassificationFigure("auc", ["a", "b"])
    metric.update(items([[0.5, 0.5]], [0]))
    assert math.isnan(metric.compute())


def test_reset_forgets():
    metric = ClassificationFigure("accuracy", ["a", "b"])
    metric.update(items([[0.9, 0.1]], [1]))
    metric.reset()
    metric.update(items([[0.9, 0.1]], [0]))
    assert metric.compute() == 1


def test_unknown_figure():
    metric = ClassificationFigure("beauty", ["a", "b"])
    metric.update(items([[0.9, 0.1]], [1]))
    with pytest.raises(KeyError, match="beauty"):
        metric.compute()


def test_on_an_evaluator():
    figures = []
    for decollate in (True, False):
        toy = Toy(decollate=decollate)
        toy.evaluator.run()
        figures.append(toy.evaluator.state.metrics["val_auc"])
    assert figures[0] == figures[1]
    assert 0 <= toy.evaluator.state.metrics["val_auc"] <= 1
