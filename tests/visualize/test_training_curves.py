import math

import numpy as np
import pytest

from monai_medmamba.visualize import training_curves_figure
from monai_medmamba.visualize.picture import png
from monai_medmamba.visualize.training_curves import best_epoch, display_name

HISTORY = {
    "epoch": [1, 2, 3],
    "train_loss": [2.0, 1.0, 0.5],
    "learning_rate": [1e-3, 5e-4, 1e-5],
    "seconds": [9.0, 9.0, 9.0],
    "val_loss": [1.9, 0.8, 0.9],
    "val_accuracy": [0.3, 0.6, 0.7],
    "val_auc": [0.5, 0.9, 0.8],
}


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def data_lines(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_panels_and_lines():
    figure = training_curves_figure(HISTORY)
    loss, validation, rate = figure.axes
    assert titles(figure) == ["Loss", "Validation (best: epoch 2)", "Learning rate"]
    assert list(data_lines(loss)) == ["training", "validation"]
    assert list(data_lines(validation)) == ["accuracy", "AUC"]
    np.testing.assert_array_equal(data_lines(validation)["AUC"].get_ydata(), HISTORY["val_auc"])
    np.testing.assert_array_equal(data_lines(rate)["learning rate"].get_ydata(), HISTORY["learning_rate"])


@pytest.mark.parametrize(
    ("key_metric", "expected"),
    [
        (None, ["Loss", "Validation (best: epoch 2)", "Learning rate"]),
        ("val_accuracy", ["Loss", "Validation (best: epoch 3)", "Learning rate"]),
        ("val_loss", ["Loss (best: epoch 2)", "Validation", "Learning rate"]),
    ],
)
def test_best_epoch_is_marked(key_metric, expected):
    figure = training_curves_figure(HISTORY, key_metric)
    assert titles(figure) == expected
    epoch = int("".join(filter(str.isdigit, "".join(expected))))
    for axes, title in zip(figure.axes, expected, strict=True):
        assert [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == ":"] == [epoch]
        rings = [line for line in axes.get_lines() if line.get_markerfacecolor() == "none"]
        assert len(rings) == ("best" in title)
        if rings:
            assert (rings[0].get_xdata()[0], rings[0].get_ydata()[0]) == (
                epoch,
                HISTORY[key_metric or "val_auc"][epoch - 1],
            )


def test_epochs_are_counted_when_the_column_is_absent():
    line = training_curves_figure({"train_loss": [3.0, 2.0]}).axes[0].get_lines()[0]
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])


def test_epochs_without_validation_are_left_out():
    history = {"train_loss": [3.0, 2.0, 1.0], "val_auc": [math.nan, 0.7, math.nan]}
    figure = training_curves_figure(history)
    np.testing.assert_array_equal(data_lines(figure.axes[1])["AUC"].get_xdata(), [2])
    assert titles(figure)[1] == "Validation (best: epoch 2)"


def test_column_without_a_number_marks_nothing():
    assert titles(training_curves_figure({"train_loss": [1.0], "val_auc": [math.nan]})) == ["Loss", "Validation"]


@pytest.mark.parametrize("epochs", [1, 300])
def test_renders(epochs):
    history = {f"val_{i}": np.linspace(0, 1, epochs) for i in range(9)} | {"train_loss": np.ones(epochs)}
    assert png(training_curves_figure(history), 50)


@pytest.mark.parametrize(
    ("history", "key_metric", "message"),
    [
        ({}, None, "no epoch"),
        ({"epoch": [], "train_loss": []}, None, "no epoch"),
        ({"train_loss": [1.0], "val_auc": [0.5, 0.6]}, None, "as many epochs.*'val_auc': 2"),
        ({"seconds": [1.0]}, None, "only.*seconds"),
        ({"train_loss": [1.0]}, "val_auc", "'val_auc' is no column"),
    ],
)
def test_invalid_arguments(history, key_metric, message):
    with pytest.raises(ValueError, match=message):
        training_curves_figure(history, key_metric)


def test_best_epoch_takes_the_last_of_equals_as_the_checkpoint_does():
    assert best_epoch({"val_f1": [0.1, 0.9, 0.9, float("nan")]}, "val_f1") == 2
    assert best_epoch({"val_loss": [0.5, math.nan, 0.5]}, "val_loss") == 2
    assert best_epoch({"val_f1": [math.nan]}, "val_f1") is None


def test_display_name():
    assert [display_name(name) for name in ("val_f1", "learning_rate")] == ["F1", "learning rate"]
