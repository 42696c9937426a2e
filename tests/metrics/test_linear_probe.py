import numpy as np
import pytest

from monai_medmamba.metrics import probe_features


def clouds(apart, count=40, classes=3):
    rng = np.random.default_rng(0)
    labels = [f"class {i % classes}" for i in range(count * classes)]
    centres = apart * np.eye(classes, 8)
    return np.stack([centres[i % classes] for i in range(len(labels))]) + rng.normal(size=(len(labels), 8)), labels


def test_tells_apart_what_lies_apart_and_nothing_else():
    far, none = (probe_features(*clouds(apart)) for apart in (8, 0))
    assert far.accuracy == far.balanced_accuracy == 1
    assert none.accuracy < 0.5
    assert (far.folds, far.samples, far.largest_class) == (5, 120, pytest.approx(1 / 3))


def test_the_largest_class_flatters_accuracy_alone():
    features, labels = clouds(0, classes=2)
    labels = ["common" if i % 8 else "rare" for i in range(len(labels))]
    found = probe_features(features, labels)
    assert found.largest_class == pytest.approx(7 / 8)
    assert found.accuracy > 0.8 > 0.65 > found.balanced_accuracy


@pytest.mark.parametrize(
    ("labels", "folds", "message"),
    [
        (["a"] * 4, 2, "at least two classes, got a"),
        (["a", "a", "a", "b"], 2, "from 2 folds to 1, the samples of class 'b', got 2"),
        (["a", "b"], 2, "one label for each of 4 rows of features, got 2"),
    ],
)
def test_invalid_arguments(labels, folds, message):
    with pytest.raises(ValueError, match=message):
        probe_features(np.zeros((4, 2)), labels, folds)
