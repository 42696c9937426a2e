import pytest

from monai_medmamba.visualize.page_text import FILTERS, base_names, counts_by_class, lead, skipped


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/srv/Jane Doe/scan 1.png", "scan 1.png"),
        (r"C:\patients\doe\scan.png", "scan.png"),
        ("data/kvasir/", "kvasir"),
        ("~/x", "x"),
        ("plain", "plain"),
        ("", ""),
        (3, 3),
        (None, None),
        ({"a": ["/b/c", {"d": "/e/f"}]}, {"a": ["c", {"d": "f"}]}),
    ],
)
def test_base_names(value, expected):
    assert base_names(value) == expected


def test_lead_tells_what_is_known():
    metrics = {"class_names": ["a", "b"], "images": 12345, "split": "test"}
    run = {"variant": "nano", "dataset": "/data/kvasir", "started": "2026-01-01"}
    assert lead(metrics, run) == [
        "nano on kvasir", "test split", "12\N{NARROW NO-BREAK SPACE}345 images", "2 classes", "2026-01-01",
    ]  # fmt: skip
    assert lead({"class_names": ["a", "b"], "images": 0}, {}) == ["0 images", "2 classes"]


def test_skipped_groups_figures_of_the_same_classes():
    metrics = {"skipped": {"precision": ["a"], "auc": ["a", "b"], "f1": ["a"]}}
    assert skipped(metrics) == [("Precision, F1 score", "a"), ("AUC", "a, b")]
    assert skipped({}) == []


def test_counts_by_class():
    run = {"class_names": ["b", "a", "c"], "counts": {"train": {"a": 2, "b": 3}, "test": {"b": 1}}}
    table = counts_by_class(run)
    assert table == {
        "splits": ["train", "test"],
        "rows": [("b", [3, 1]), ("a", [2, 0]), ("c", [0, 0])],
        "sums": [5, 1],
    }
    assert counts_by_class({}) is None


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (483.2, "8 min 03 s"), (7260, "2 h 01 min")]
)
def test_duration(seconds, expected):
    assert FILTERS["duration"](seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        (True, "yes"),
        (0, "0"),
        (1, "1"),
        ([64, 64], "64, 64"),
        ({"lr": 0.001, "fused": False}, "lr: 0.001, fused: no"),
    ],
)
def test_setting(value, expected):
    assert FILTERS["setting"](value) == expected


def test_figure():
    assert [FILTERS["figure"](value) for value in (None, 0, 0.98765)] == ["undefined", "0.000", "0.988"]
