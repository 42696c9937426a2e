import pytest
import torch

from monai_medmamba.layers import PatchStem


@pytest.mark.parametrize(
    ("spatial_dims", "space", "expected"),
    [(2, (32, 48), (8, 12)), (2, (35, 33), (8, 8)), (3, (8, 12, 9), (2, 3, 2))],
    ids=str,
)
def test_shape(spatial_dims, space, expected):
    assert PatchStem(spatial_dims, 2, 8)(torch.zeros(3, 2, *space)).shape == (3, *expected, 8)


def test_a_patch_sees_its_own_pixels_alone():
    stem = PatchStem(2, 1, 8)
    image = torch.zeros(1, 1, 8, 12)
    before = stem(image)
    image[..., 4:8, 8:12] = torch.randn(4, 4)
    changed = (stem(image) != before).any(-1)[0]
    assert changed.nonzero().tolist() == [[1, 2]]
