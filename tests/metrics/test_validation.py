import numpy as np
import pytest

from monai_medmamba.metrics.validation import check_class_names, check_labels, check_probabilities

NAMES = ["normal", "polyp", "ulcer"]


def test_probabilities_come_back_unchanged():
    table = np.float32([[0.2, 0.3, 0.5], [1, 0, 0]])
    checked = check_probabilities(table, NAMES)
    assert checked.dtype == np.float32
    np.testing.assert_array_equal(checked, table)


def test_softmax_in_half_precision_is_accepted():
    logits = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float16)
    exponentials = np.exp(logits)
    check_probabilities(exponentials / exponentials.sum(axis=1, keepdims=True), NAMES)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([0.5, 0.5], r"shape \(n, 3\), got \(2,\)"),
        ([[0.5, 0.5]], r"shape \(n, 3\), got \(1, 2\)"),
        ([[0, 0, 1]], "dtype int64; apply softmax"),
        (np.zeros((0, 3)), "at least one row"),
        ([[0.2, 0.3, 0.5], [np.nan, 0.5, 0.5]], "1 of 2 rows do not, first row 1"),
        ([[np.inf, 0.0, 0.0]], "finite"),
        ([[-0.5, 0.5, 1.0]], r"lie in \[0, 1\]"),
        ([[3.0, -1.0, -1.0]], "apply softmax to the logits"),
        ([[0.9, 0.9, 0.1]], "sum to 1.*not sigmoid"),
    ],
)
def test_invalid_probabilities(table, message):
    with pytest.raises(ValueError, match=message):
        check_probabilities(table, NAMES)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], r"shape \(2,\).*got \(3,\)"),
        ([[0, 1]], r"got \(1, 2\)"),
        ([0.0, 1.0], "dtype float64"),
        ([True, False], "dtype bool"),
        ([0, 3], r"in \[0, 2\], got 3 in row 1"),
        ([-1, 0], "got -1 in row 0"),
    ],
)
def test_invalid_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, 2, NAMES)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_become_int64(dtype):
    assert check_labels(np.array([2, 0], dtype=dtype), 2, NAMES).dtype == np.int64


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "at least two"),
        (["polyp"], "at least two"),
        ("polyp", "at least two"),
        (["polyp", ""], "non-empty"),
        (["polyp", 3], "non-empty strings"),
        (["polyp", "normal", "polyp"], r"repeated: \['polyp'\]"),
    ],
)
def test_invalid_class_names(names, message):
    with pytest.raises(ValueError, match=message):
        check_class_names(names)
