import pytest
import torch
from monai.networks.nets.swin_unetr import PatchMergingV2

from monai_medmamba.layers import PatchDownsample


@pytest.mark.parametrize(
    ("spatial_dims", "space", "expected"),
    [(2, (4, 6), (2, 3)), (2, (5, 7), (2, 3)), (2, (4, 7), (2, 3)), (3, (4, 5, 3), (2, 2, 1))],
    ids=str,
)
def test_shape(spatial_dims, space, expected):
    assert PatchDownsample(spatial_dims, 8)(torch.zeros(2, *space, 8)).shape == (2, *expected, 16)


def test_equals_monai_at_even_sizes():
    ours, theirs = PatchDownsample(2, 8), PatchMergingV2(8, spatial_dims=2)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 6, 8)
    torch.testing.assert_close(ours(x), theirs(x))


def test_an_odd_edge_is_dropped():
    merge = PatchDownsample(2, 8)
    x = torch.randn(1, 5, 7, 8)
    torch.testing.assert_close(merge(x), merge(x[:, :4, :6]))
