import pytest
import torch

from monai_medmamba.networks import MedMamba, inflate
from testing.golden import relative_rms

SIZES = {"num_classes": 3, "depths": (1, 1, 2, 1), "dims": (8, 16, 32, 64), "d_state": 4}
AXES = pytest.mark.parametrize("slice_axis", [0, 1, -1])


def along(slice_axis, of_slices, in_plane):
    """Return a number for each axis of a volume."""
    numbers = [in_plane] * 3
    numbers[slice_axis] = of_slices
    return tuple(numbers)


def settled(**changes):
    """Return a network for images with statistics of its own, in which the scans weigh as after training."""
    net = MedMamba(**(SIZES | changes)).train()
    for name, parameter in net.named_parameters():
        if name.endswith(("in_proj.weight", "out_proj.weight", "reduction.weight")):
            torch.nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
    with torch.no_grad():
        for _ in range(4):
            net(torch.randn(4, net.in_channels, 40, 36))
    return net.eval()


def for_volumes(slice_axis, patch=1, stride=None, merges=(1, 1, 1), **changes):
    return MedMamba(
        3,
        **(SIZES | changes),
        patch_size=along(slice_axis, patch, 4),
        patch_stride=None if stride is None else along(slice_axis, stride, 4),
        merge_strides=[along(slice_axis, merge, 2) for merge in merges],
    ).eval()


def repeated(picture, slice_axis, slices):
    """Return a volume whose slices are all this picture."""
    axis = 2 + slice_axis % 3
    return picture.unsqueeze(axis).repeat_interleave(slices, axis)


@AXES
@pytest.mark.parametrize(("patch", "stride", "slices"), [(4, None, 4), (3, 1, 1)], ids=str)
def test_one_position_along_the_slices_computes_the_same(slice_axis, patch, stride, slices):
    images, picture = settled(), torch.randn(2, 3, 47, 39)
    volumes = inflate(images, for_volumes(slice_axis, patch, stride), slice_axis=slice_axis)
    volume = repeated(picture, slice_axis, slices)
    for found, expected in zip(volumes.forward_features(volume), images.forward_features(picture), strict=True):
        found = found.movedim(2 + slice_axis % 3, 0)
        assert len(found) == 1
        torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(volumes(volume), images(picture), atol=1e-5, rtol=1e-4)


@AXES
@pytest.mark.parametrize(("patch", "stride", "merges"), [(3, 1, (2, 1, 2)), (4, 2, (1, 2, 2))], ids=str)
def test_all_but_what_the_state_carries_is_the_same_at_every_depth(slice_axis, patch, stride, merges):
    """A decay that leaves nothing of the state: each slice, those at the border too, is the picture's map."""
    images, picture = settled(), torch.randn(2, 3, 47, 39)
    for stage in images.stages:
        for block in stage.blocks:
            torch.nn.init.constant_(block.ssm.A_log, 30.0)
    volumes = inflate(images.state_dict(), for_volumes(slice_axis, patch, stride, merges), slice_axis=slice_axis)
    volume = repeated(picture, slice_axis, 19)
    for found, expected in zip(volumes.forward_features(volume), images.forward_features(picture), strict=True):
        found = found.movedim(2 + slice_axis % 3, 0)
        torch.testing.assert_close(found, expected.expand_as(found), atol=1e-5, rtol=1e-4)


@AXES
def test_with_the_state_a_constant_volume_stays_near_the_picture(slice_axis):
    images, picture = settled(), torch.randn(2, 3, 64, 64)
    volumes = inflate(images, for_volumes(slice_axis, merges=(1, 2, 2)), slice_axis=slice_axis)
    with torch.no_grad():
        found, expected = volumes(repeated(picture, slice_axis, 8)), images(picture)
        fresh = for_volumes(slice_axis, merges=(1, 2, 2))(repeated(picture, slice_axis, 8))
    assert 1e-4 < relative_rms(found, expected) < 0.01  # the state crosses from slice to slice
    assert relative_rms(fresh, expected) > 0.5


def test_directions_along_the_slices_are_silent_but_learn():
    volumes = inflate(settled(), for_volumes(0), slice_axis=0).train()
    volumes(torch.randn(2, 3, 8, 32, 32)).square().sum().backward()
    ssm = volumes.stages[0].blocks[0].ssm
    for place in (2, 5):
        assert not ssm.D[place].any()
        assert not ssm.x_proj_weight[place, -4:].any()
        assert ssm.D.grad[place].abs().max() > 0
        assert ssm.x_proj_weight.grad[place, -4:].abs().max() > 0


def test_one_channel_sees_a_grey_picture():
    images, grey = settled(), torch.randn(2, 1, 40, 40)
    volumes = inflate(images, for_volumes(2, in_channels=1))
    torch.testing.assert_close(volumes(grey[..., None]), images(grey.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-4)


def test_another_head_stays():
    volumes = for_volumes(2, num_classes=7)
    before = volumes.head.weight.clone()
    with pytest.raises(ValueError, match=r"head\.weight: \(3, 64\).*expected \(7, 64\).*head=False"):
        inflate(settled(), volumes)
    images = settled()
    assert inflate(images, volumes, head=False) is volumes
    assert torch.equal(volumes.head.weight, before)
    assert torch.equal(volumes.stages[0].blocks[0].ssm.in_proj.weight, images.stages[0].blocks[0].ssm.in_proj.weight)


@pytest.mark.parametrize(
    ("images", "volumes", "message"),
    [
        ({}, {"spatial_dims": 2}, r"spatial_dims=3\) to inflate into, got 2"),
        ({"depths": (1, 1, 1, 1)}, {}, r"depths \(1, 1, 2, 1\): \d+ names differ"),
        ({"d_state": 2}, {}, "x_proj_weight.*d_state"),
        ({}, {"patch_size": (4, 2, 1)}, "expected a network for images whose maps have the strides"),
        ({"spatial_dims": 3}, {}, "expected a network for images"),
    ],
    ids=str,
)
def test_invalid_arguments(images, volumes, message):
    source, target = MedMamba(**(SIZES | images)), MedMamba(**(SIZES | {"spatial_dims": 3} | volumes))
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        inflate(source, target)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_an_axis_that_no_volume_has():
    with pytest.raises(ValueError, match=r"slice_axis: .* got 3"):
        inflate(settled(), for_volumes(0), slice_axis=3)


def test_a_state_dict_of_other_patches():
    with pytest.raises(ValueError, match="patches and merging within slices"):
        inflate(settled().state_dict(), MedMamba(3, **SIZES, patch_size=(4, 2, 1)))
