from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_medmamba.data import DatasetError
from monai_medmamba.data.splits import assign_splits, join_groups

SHARES = {"training": 0.6, "validation": 0.1, "test": 0.3}


def tally(splits, labels):
    return Counter(zip(splits, labels, strict=True))


def test_shares_are_exact_by_class():
    labels = ["a"] * 100 + ["b"] * 30 + ["c"] * 7
    names = [f"{i}.png" for i in range(len(labels))]
    counts = tally(assign_splits(names, labels, range(len(labels)), SHARES, seed=0), labels)
    assert [counts[split, "a"] for split in SHARES] == [60, 10, 30]
    assert [counts[split, "b"] for split in SHARES] == [18, 3, 9]
    assert [counts[split, "c"] for split in SHARES] == [4, 1, 2]


def test_order_does_not_matter_and_seed_does():
    labels = [f"{i % 4}" for i in range(80)]
    names = [f"{i:02d}.png" for i in range(80)]
    splits = dict(zip(names, assign_splits(names, labels, range(80), SHARES, seed=3), strict=True))
    order = np.random.default_rng(0).permutation(80)
    mixed = assign_splits([names[i] for i in order], [labels[i] for i in order], range(80), SHARES, seed=3)
    assert [splits[names[i]] for i in order] == mixed
    assert assign_splits(names, labels, range(80), SHARES, seed=4) != list(splits.values())


def test_known_answer():
    names = [f"{i}.png" for i in range(6)]
    found = assign_splits(names, ["a", "b"] * 3, range(6), SHARES, seed=0)
    assert "".join(split[0] for split in found) == "tttvvt"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 5), st.integers(12, 60))
def test_groups_stay_together_and_classes_everywhere(seed, classes, patients):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(patients), rng.integers(1, 9, patients)).tolist()
    labels = [f"{patient % classes}" if patient < 3 * classes or rng.random() < 0.8 else "0" for patient in groups]
    names = [f"{i}.png" for i in range(len(groups))]
    if min(len({g for g, k in zip(groups, labels, strict=True) if k == label}) for label in set(labels)) < 3:
        return
    splits = assign_splits(names, labels, groups, SHARES, seed)
    assert all(len({s for s, g in zip(splits, groups, strict=True) if g == group}) == 1 for group in set(groups))
    assert set(tally(splits, labels)) == {(split, label) for split in SHARES for label in set(labels)}


def test_shares_with_patients():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), rng.integers(1, 12, 200)).tolist()
    labels = [f"{patient % 5}" for patient in groups]
    counts = tally(assign_splits([f"{i}" for i in range(len(groups))], labels, groups, SHARES, 0), labels)
    for label, size in Counter(labels).items():
        for split, share in SHARES.items():
            assert abs(counts[split, label] / size - share) < 0.04


def test_one_large_patient_goes_to_training():
    groups = [0] * 100 + [1] * 10 + [2] * 10 + [3] * 10 + [4] * 10
    for seed in range(5):
        splits = assign_splits([f"{i}" for i in range(140)], ["a"] * 140, groups, SHARES, seed)
        assert splits[0] == "training"


def test_too_few():
    with pytest.raises(DatasetError, match="class b with 2 separate images"):
        assign_splits([f"{i}" for i in range(8)], ["a"] * 6 + ["b"] * 2, range(8), SHARES, 0)
    with pytest.raises(DatasetError, match="class a with 2 separate images or patients"):
        assign_splits([f"{i}" for i in range(8)], ["a"] * 8, [0, 0, 0, 0, 1, 1, 1, 1], SHARES, 0)


def test_join_groups():
    assert join_groups(["p", "q", "r", "s"], ["x", "y", "y", "x"]) == [0, 1, 1, 0]
    assert join_groups([None, None, None], ["x", "y", "x"]) == [0, 1, 0]
    assert join_groups(["1", "1", "2", "2", "3"], ["a", "b", "b", "c", "d"]) == [0, 0, 0, 0, 4]
