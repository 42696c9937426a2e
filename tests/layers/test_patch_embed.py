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


@pytest.mark.parametrize(
    ("size", "stride", "space", "expected"),
    [
        ((1, 4, 4), None, (3, 9, 8), (3, 2, 2)),
        ((4, 4, 2), (4, 4, 1), (8, 8, 5), (2, 2, 5)),
        ((3, 4, 4), (2, 4, 4), (7, 8, 8), (3, 2, 2)),
        (6, (4, 2, 3), (9, 8, 8), (2, 4, 2)),
    ],
    ids=str,
)
def test_patches_of_each_axis(size, stride, space, expected):
    stem = PatchStem(3, 2, 8, size, stride)
    assert stem(torch.zeros(1, 2, *space)).shape == (1, *expected, 8)


def test_overlapping_patches_begin_half_an_overlap_before_their_stride():
    stem = PatchStem(2, 1, 8, patch_size=(4, 4), stride=(2, 4))
    image = torch.zeros(1, 1, 8, 8)
    before = stem(image)
    image[..., 4, 0] = 1  # row 4 is the third patch's own; those before and after reach one row into it or not
    changed = (stem(image) != before).any(-1)[0]
    assert changed.nonzero().tolist() == [[1, 0], [2, 0]]


def test_without_overlap_the_product_is_the_convolution():
    stem = PatchStem(3, 1, 8, patch_size=(1, 4, 2))
    x = torch.randn(2, 1, 3, 9, 8)
    torch.testing.assert_close(stem(x), stem.norm(stem.proj(x).movedim(1, -1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(((4, 4),), "patch_size: .* 3 of them"), ((4, (4, 4, 5)), r"at most the patch size \(4, 4, 4\).*\(4, 4, 5\)")],
    ids=str,
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PatchStem(3, 1, 8, *arguments)
