from dataclasses import replace

import numpy as np
import pytest

from monai_medmamba.fingerprint.decoded import Decoded
from monai_medmamba.fingerprint.duplicates import exact_groups, near_groups, near_parts, remarks_on
from monai_medmamba.fingerprint.item import Item
from monai_medmamba.fingerprint.measure import measure


@pytest.fixture
def measured(draw):
    """Measurements of a, its copy, a paler version of it, another picture, and two constant ones."""
    a = draw(1)
    pictures = {
        "a": a,
        "copy": a,
        "pale": (a * 0.8 + 30).astype(np.uint8),
        "other": draw(2),
        "blank": np.zeros((9, 9, 3), np.uint8),
        "blank2": np.zeros((9, 9, 3), np.uint8),
    }
    return {name: measure(Decoded(x, False, "PNG", "RGB", 8, 255.0), b"k")[0] for name, x in pictures.items()}


def items(**labels):
    return [Item(path, "picture", *places) for path, places in labels.items()]


ALL = items(
    a=("x", "training"),
    copy=("x", "test"),
    pale=("y", "test"),
    other=("x", "training"),
    blank=("x", "test"),
    blank2=("y", "test"),
    unreadable=("x", "test"),
)


def test_exact(measured):
    (group,) = exact_groups(ALL, measured)
    assert (group.files, group.across_splits, group.across_labels) == (["a", "copy"], True, False)


def test_near(measured):
    (group,) = near_groups(ALL, measured)
    assert group.files == ["a", "copy", "pale"]
    assert (group.splits, group.labels) == (["training", "test", "test"], ["x", "x", "y"])
    assert (group.across_splits, group.across_labels) == (True, True)


def test_exact_copies_alone_are_not_repeated(measured):
    assert near_groups(ALL[:2], measured) == []


def test_one_series_is_alike_by_nature(measured):
    series = {name: replace(m, tags={"series": "s"}) for name, m in measured.items()}
    assert near_groups(ALL, series) == []
    series["pale"] = replace(series["pale"], tags={"series": "t"})
    assert len(near_groups(ALL, series)) == 1


def test_remarks(measured):
    remarks = remarks_on(near_groups(ALL, measured), "near") + remarks_on(
        exact_groups(ALL[:1] + ALL[1:2], measured), "same"
    )
    assert [remark[:2] for remark in remarks] == [
        ("near_across_splits", "a"),
        ("near_across_labels", "a"),
        ("same_across_splits", "a"),
    ]
    assert remarks[0].detail == "a (training, x) = copy (test, x) = pale (test, y)"
    assert remarks_on(exact_groups(items(a=(), copy=()), measured), "same") == [("same_in_split", "a", "a = copy")]


def chain(count, seed=0):
    """Returns hashes and copies in which each is alike its neighbours, and only them."""
    random = np.random.default_rng(seed)
    values = random.normal(128, 40, (count // 8 + 2, 256))
    steps = np.arange(count) / 8
    low = steps.astype(int)
    mixed = values[low] * (1 - steps % 1)[:, None] + values[low + 1] * (steps % 1)[:, None]
    return [0] * count, [row.clip(0, 255).astype(np.uint8).tobytes() for row in mixed]


def test_groups_are_joined_through_others(monkeypatch):
    monkeypatch.setattr("monai_medmamba.fingerprint.duplicates.CORRELATION", 0.9)
    monkeypatch.setattr("monai_medmamba.fingerprint.duplicates.PAIRS_AT_ONCE", 7 * 50)
    hashes, copies = chain(50)
    assert near_parts(hashes, copies) == [0] * 50
    order = np.random.default_rng(1).permutation(50)
    assert near_parts(hashes, [copies[i] for i in order]) == [0] * 50


def test_both_marks_must_agree():
    random = np.random.default_rng(0)
    copies = [random.integers(0, 255, 256, dtype=np.uint8).tobytes() for _ in range(2)]
    assert near_parts([5, 5], copies) == [0, 1]
    assert near_parts([5, 5], copies[:1] * 2) == [0, 0]
    assert near_parts([0, 2**64 - 1], copies[:1] * 2) == [0, 1]
    assert near_parts([0, 2**10 - 1], copies[:1] * 2) == [0, 0]
    assert near_parts([0, 2**11 - 1], copies[:1] * 2) == [0, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare(count):
    assert near_parts([1] * count, [bytes(256)] * count) == [0] * count


def test_matches_all_pairs():
    random = np.random.default_rng(0)
    base = random.integers(0, 2**63, 40)
    hashes = [int(h) ^ (1 << int(random.integers(0, 60))) for h in random.choice(base, 300)]
    parts = near_parts(hashes, [bytes(range(256))] * 300)
    expected = list(range(300))
    for i in range(300):
        for j in range(i):
            if bin(hashes[i] ^ hashes[j]).count("1") <= 10 and expected[i] != expected[j]:
                low, high = sorted((expected[i], expected[j]))
                expected = [low if part == high else part for part in expected]
    assert parts == expected
