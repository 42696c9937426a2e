"""Weights of a network for images, put into one for volumes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..layers import SS3D, PatchDownsample, PatchStem
from ..layers.patch_merging import cell_corners
from ..ops.cross_selective_scan.directions import scan_orders
from .medmamba import MedMamba

__all__ = ["inflate"]

_PLANE = 2  # axes of an image
_OF_DIRECTIONS = ("x_proj_weight", "dt_weight", "dt_bias", "A_log", "D")


def inflate(
    images: MedMamba | Mapping[str, Tensor], volumes: MedMamba, *, slice_axis: int = -1, head: bool = True
) -> MedMamba:
    """Gives a network for volumes the weights of one for images, so that it begins where that one ended.

    Of a volume whose slices are all the same picture, every layer but the scan computes for each slice what the other
    network computes for the picture: a patch's kernel is spread evenly over the slices of its own stride, every other
    kernel stands at its own slice, and neighbouring slices, which are zeros at the border, begin with weight 0; merged
    slices share the weights of one. Directions of the scan within slices keep their parameters. The two along the
    slice axis take the step, decay and input of the directions along rows and begin with no output (C and D are 0), so
    that the sum over directions, and the normalisation after it, are those of four; training gives them one. What is
    left is what the state carries from a slice into the next: with one position along the slice axis, nothing, and
    the logits are the same.

    Args:
        images: a network for images, or its state dict.
        volumes: a network for volumes of the same depths, dims and states, whose patches and merging within slices
            are those of ``images``; along the slice axis they are free. It may have one channel where the other has
            several: it then sees what the other sees of a grey picture. It is changed in place.
        slice_axis: which axis of a volume the slices follow each other along, in -3 ... 2.
        head: whether the head is taken too; False, for other classes, leaves that of ``volumes`` as it is.

    Returns:
        ``volumes``.

    Raises:
        ValueError: ``volumes`` is not for volumes, ``slice_axis`` is not one of its axes, or the weights do not fit;
            nothing has been changed then.

    Example:
        >>> sizes = {"num_classes": 2, "depths": (1,) * 4, "dims": (4, 8, 16, 32)}
        >>> picture, images = torch.randn(1, 3, 32, 32), MedMamba(**sizes).eval()
        >>> volumes = MedMamba(3, **sizes, patch_size=(4, 4, 1), merge_strides=[(2, 2, 1)] * 3).eval()
        >>> inflated = inflate(images, volumes)(picture[..., None])  # a volume of one slice
        >>> torch.allclose(inflated, images(picture), atol=1e-5)
        True
    """
    if volumes.spatial_dims != _PLANE + 1:
        raise ValueError(f"expected a network for volumes (spatial_dims=3) to inflate into, got {volumes.spatial_dims}")
    if not -3 <= slice_axis <= _PLANE:
        raise ValueError(f"slice_axis: expected one of the axes 0, 1, 2 of a volume, got {slice_axis}")
    axis = slice_axis % 3
    if isinstance(images, MedMamba):
        plane = tuple(strides[:axis] + strides[axis + 1 :] for strides in volumes.feature_strides)
        if images.spatial_dims != _PLANE or plane != images.feature_strides:
            raise ValueError(
                f"expected a network for images whose maps have the strides {plane}, as those for volumes have within "
                f"slices, got {images.feature_strides}"
            )
    source = images.state_dict() if isinstance(images, MedMamba) else dict(images)
    target = volumes.state_dict()
    if set(source) != set(target):
        other = sorted(set(source) ^ set(target))
        raise ValueError(
            f"expected the weights of a MedMamba of depths {volumes.depths}: {len(other)} names differ, "
            f"such as {other[0]}"
        )
    owners = {
        f"{place}.{name}": module
        for place, module in volumes.named_modules()
        for name in module.state_dict()
        if isinstance(module, SS3D | PatchDownsample | PatchStem)
    }
    found = {}
    for name, tensor in source.items():
        if name.startswith("head.") and not head:
            found[name] = target[name]
            continue
        found[name] = _inflated(name, tensor, owners.get(name), target[name].shape, axis)
        if found[name].shape != target[name].shape:
            cure = "; head=False keeps the head of the network for volumes" if name.startswith("head.") else ""
            raise ValueError(
                f"{name}: {tuple(tensor.shape)} of the network for images becomes {tuple(found[name].shape)}, "
                f"expected {tuple(target[name].shape)}: dims, d_state, channels, classes, and patches and merging "
                f"within slices must be the same{cure}"
            )
    volumes.load_state_dict(found)
    return volumes


def _inflated(name: str, tensor: Tensor, owner: nn.Module | None, shape: torch.Size, slice_axis: int) -> Tensor:
    """Returns one tensor as the network for volumes has it; ``owner`` is the layer that it belongs to."""
    if tensor.dim() == _PLANE + 2 and len(shape) == _PLANE + 3:  # a convolution's kernel
        depth, place = shape[2 + slice_axis], 2 + slice_axis
        if isinstance(owner, PatchStem):
            tensor = tensor.sum(1, keepdim=True) if shape[1] == 1 else tensor
            stride = owner.proj.stride[slice_axis]
            first = owner.padding[2 * (_PLANE - slice_axis)]
        else:
            stride, first = 1, depth // 2
        return _spread(tensor, place, depth, first, stride)
    if isinstance(owner, PatchDownsample):
        return _merged(name, tensor, owner.strides, slice_axis)
    if isinstance(owner, SS3D) and name.rsplit(".", 1)[-1] in _OF_DIRECTIONS:
        return _directed(name, tensor, owner, slice_axis)
    return tensor


def _spread(kernel: Tensor, place: int, depth: int, first: int, count: int) -> Tensor:
    """Returns a kernel with a new axis of ``depth`` taps, shared evenly by ``count`` of them from ``first`` on."""
    taps = [kernel / count if first <= tap < first + count else torch.zeros_like(kernel) for tap in range(depth)]
    return torch.stack(taps, dim=place)


def _merged(name: str, tensor: Tensor, strides: tuple[int, ...], slice_axis: int) -> Tensor:
    """Returns a weight over the joined features of a cell: each slice of the cell takes those of the picture's cell."""
    corners = cell_corners(strides)
    plane = cell_corners([stride for axis, stride in enumerate(strides) if axis != slice_axis])
    if tensor.shape[-1] % len(plane):
        return tensor
    parts = tensor.unflatten(-1, (len(plane), -1)).unbind(-2)
    chosen = [plane.index(corner[:slice_axis] + corner[slice_axis + 1 :]) for corner in corners]
    joined = torch.cat([parts[place] for place in chosen], dim=-1)
    return joined / strides[slice_axis] if name.endswith("reduction.weight") else joined


def _directed(name: str, tensor: Tensor, layer: SS3D, slice_axis: int) -> Tensor:
    """Returns a parameter of four directions for six."""
    plane = [axis for axis in range(_PLANE + 1) if axis != slice_axis]
    of_images = {order[-1]: place for place, order in enumerate(scan_orders(_PLANE))}  # by the axis that is fastest
    chosen, silent = [], []
    for place, order in enumerate(scan_orders(_PLANE + 1)):
        along_slices = order[-1] == slice_axis
        chosen.append(of_images[_PLANE - 1 if along_slices else plane.index(order[-1])])
        if along_slices:
            silent += [place, place + _PLANE + 1]
    inflated = tensor[[*chosen, *(place + _PLANE for place in chosen)]]
    if name.endswith(".D"):
        inflated[silent] = 0
    if name.endswith(".x_proj_weight"):
        inflated[silent, -layer.A_log.shape[-1] :] = 0  # C comes last
    return inflated
