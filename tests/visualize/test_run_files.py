import json
import math

import pytest

from monai_medmamba.metrics import classification_metrics, write_predictions
from monai_medmamba.visualize.run_files import (
    HISTORY,
    METRICS,
    PREDICTIONS,
    RUN,
    read_history,
    read_labelled_predictions,
    read_metrics,
    read_run,
)

SCORES = [[0.75, 0.25], [0.25, 0.75]]


def put(run_dir, name, text):
    path = run_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_metrics_come_back(tmp_path):
    metrics = classification_metrics(SCORES, [0, 0], ["a", "b"])
    put(tmp_path, METRICS, json.dumps(metrics))
    assert read_metrics(tmp_path) == metrics


def test_predictions_are_those_that_were_written(tmp_path):
    write_predictions(tmp_path / PREDICTIONS, ["=x, y.png", "/p/b.png"], [0, 0], SCORES, ["'a", "b"])
    first, second = read_labelled_predictions(tmp_path)
    assert (first.image, first.label, first.prediction, first.confidence) == ("=x, y.png", "'a", "'a", 0.75)
    assert first.correct
    assert (second.image, second.prediction, second.correct) == ("/p/b.png", "b", False)


def test_predictions_without_truth_are_left_out(tmp_path):
    write_predictions(tmp_path / PREDICTIONS, ["a", "b"], None, SCORES, ["a", "b"])
    assert read_labelled_predictions(tmp_path) == []


def test_history_columns(tmp_path):
    put(tmp_path, HISTORY, "epoch,train_loss,val_auc\n1,2.5,\n2,1e-1,0.75\n")
    history = read_history(tmp_path)
    assert list(history) == ["epoch", "train_loss", "val_auc"]
    assert history["train_loss"] == [2.5, 0.1]
    assert math.isnan(history["val_auc"][0])


@pytest.mark.parametrize("text", ["", "epoch,train_loss\n"])
def test_history_without_epochs_counts_as_missing(tmp_path, text):
    put(tmp_path, HISTORY, text)
    assert read_history(tmp_path) is None


def test_missing_files(tmp_path):
    assert read_history(tmp_path) is read_run(tmp_path) is read_labelled_predictions(tmp_path) is None
    with pytest.raises(FileNotFoundError, match=r"metrics\.json is missing; evaluate"):
        read_metrics(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "read", "message"),
    [
        (METRICS, "{", read_metrics, r"metrics\.json is not JSON"),
        (METRICS, "[]", read_metrics, "expected a JSON object.*got list"),
        (METRICS, '{"accuracy": 1}', read_metrics, "lacks class_names, per_class, confusion_matrix"),
        (
            METRICS,
            '{"accuracy": 1, "class_names": ["a", "b"], "per_class": [{}, {}], "confusion_matrix": [[1, 2, 3]]}',
            read_metrics,
            r"names 2 classes, but its tables have \[1, 2, 3\]",
        ),
        (RUN, "3", read_run, r"object in .*run\.json, got int"),
        (HISTORY, "epoch,train_loss\n1\n", read_history, r"history\.csv, line 2: expected 2 cells, got 1"),
        (HISTORY, "epoch,train_loss\n1,low\n", read_history, "line 2: train_loss is 'low', not a number"),
        (PREDICTIONS, "image,label\na,b\n", read_labelled_predictions, r"predictions\.csv, line 2: expected image"),
        (PREDICTIONS, "image,label,prediction,confidence\na,b,c,high\n", read_labelled_predictions, "line 2"),
        (PREDICTIONS, "image,label,prediction,confidence\na\n", read_labelled_predictions, "line 2"),
    ],
)
def test_damaged_file_is_named(tmp_path, name, text, read, message):
    put(tmp_path, name, text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path)
