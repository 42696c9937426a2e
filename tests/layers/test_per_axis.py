import pytest

from monai_medmamba.layers.per_axis import per_axis


@pytest.mark.parametrize(
    ("value", "dims", "expected"), [(3, 2, (3, 3)), ([1, 2], 2, (1, 2)), ((4, 2, 1), 3, (4, 2, 1))], ids=str
)
def test_values(value, dims, expected):
    assert per_axis("size", value, dims) == expected


@pytest.mark.parametrize("value", [0, -1, (1,), (1, 0), (1, 2, 3), (1, 1.5), (1, "2")], ids=str)
def test_invalid_arguments(value):
    with pytest.raises(ValueError, match="size: expected a whole number of at least 1, or 2 of them"):
        per_axis("size", value, 2)
