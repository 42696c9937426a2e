import pytest
import torch

from monai_medmamba.layers import SSConvSSM


@pytest.mark.parametrize(("spatial_dims", "space"), [(2, (5, 7)), (3, (3, 2, 4))], ids=str)
def test_shape(spatial_dims, space):
    assert SSConvSSM(spatial_dims, 8, d_state=4)(torch.randn(2, *space, 8)).shape == (2, *space, 8)


def test_halves_are_interleaved_over_the_input():
    block = SSConvSSM(2, 8).eval()
    x = torch.randn(2, 5, 7, 8)
    left, right = x.chunk(2, -1)
    added = block(x) - x
    torch.testing.assert_close(added[..., 0::2], block.conv_branch(left.movedim(-1, 1)).movedim(1, -1))
    torch.testing.assert_close(added[..., 1::2], block.ssm(block.norm(right)))


def test_drop_path_drops_the_scan_of_whole_samples_in_training():
    block = SSConvSSM(2, 8, drop_path=0.5)
    x = torch.randn(64, 2, 2, 8)
    dropped = (block(x) - x)[..., 1::2].flatten(1).abs().amax(1) == 0
    assert 16 < dropped.sum() < 48
    assert not ((block.eval()(x) - x)[..., 1::2].flatten(1).abs().amax(1) == 0).any()


@pytest.mark.parametrize(
    ("arguments", "message"), [((2, 7), "even number of channels.*7"), ((4, 8), "2 or 3, got 4")], ids=str
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SSConvSSM(*arguments)
