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


@pytest.mark.parametrize("strides", [(1, 2, 2), (2, 2, 1), (2, 1, 1)], ids=str)
def test_an_axis_may_stay(strides):
    merge = PatchDownsample(3, 8, strides)
    x = torch.randn(2, 5, 7, 4, 8)
    expected = tuple(size // stride for size, stride in zip((5, 7, 4), strides, strict=True))
    assert merge(x).shape == (2, *expected, 16)
    # One slice of a volume merges as the picture it is.
    if strides == (1, 2, 2):
        picture = PatchDownsample(2, 8)
        picture.load_state_dict(merge.state_dict())
        torch.testing.assert_close(merge(x)[:, 3], picture(x[:, 3]))


@pytest.mark.parametrize("strides", [1, (1, 1, 1), (3, 2, 2), (2, 2), 0], ids=str)
def test_invalid_arguments(strides):
    with pytest.raises(ValueError, match="merge_strides: expected"):
        PatchDownsample(3, 8, strides)
