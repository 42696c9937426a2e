import pytest

from monai_medmamba.data.entry import SPLIT_NAMES, SPLITS, natural_order


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9", "1"], ["1", "9", "10"]),
        (["grade12", "grade2", "benign"], ["benign", "grade2", "grade12"]),
        (["b", "1a", "a"], ["1a", "a", "b"]),
        (["²", "2"], ["2", "²"]),
    ],
)
def test_natural_order(names, expected):
    assert sorted(names, key=natural_order) == expected


def test_split_names_lead_to_splits():
    assert set(SPLIT_NAMES.values()) == set(SPLITS)
