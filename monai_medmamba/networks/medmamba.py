"""MedMamba: a classification network of four stages of SS-Conv-SSM blocks."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from torch import Tensor, nn

from ..layers import SS2D, SS3D, PatchDownsample, PatchStem, SSConvSSM
from ..layers.initialization import init_convolutions_and_linears

__all__ = ["MedMamba"]

MIN_SIZE = 32  # of an image's edges, in pixels, at the published network's strides
PATCH, MERGE = 4, 2  # those strides: of the patches, and between stages
_SCAN = ("dt_weight", "dt_bias", "A_log", "D")


class Stage(nn.Module):
    """The blocks of one resolution, and what halves their map for the next stage.

    Args:
        blocks: run one after the other.
        downsample: the step to the next stage.

    Example:
        >>> Stage([nn.Identity()], nn.Flatten())(torch.zeros(1, 2, 3))[1].shape
        torch.Size([1, 6])
    """

    def __init__(self, blocks: Iterable[nn.Module], downsample: nn.Module) -> None:
        super().__init__()
        self.blocks, self.downsample = nn.ModuleList(blocks), downsample

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the map after the blocks, and the one that the next stage takes."""
        for block in self.blocks:
            x = block(x)
        return x, self.downsample(x)


class MedMamba(nn.Module):
    """Classifies medical images or volumes with convolutions and selective scans side by side.

    Source: MedMamba (arXiv 2403.03849). Values, gradients and initialisation are those of the published network;
    maps stay channels last inside, and ``spatial_dims=3`` scans six directions instead of four.

    Args:
        spatial_dims: 2 for images, 3 for volumes.
        in_channels: channels of the input.
        num_classes: classes, at least 1.
        depths: blocks of each stage.
        dims: features of each stage, even; each stage has twice those of the one before.
        d_state: states per channel of the scans, N.
        drop_path_rate: stochastic depth of the last block, in [0, 1); rises linearly from 0 at the first.
        use_checkpoint: recompute blocks in the backward pass instead of keeping what is inside them, for less memory;
            one for all stages, or one for each. Gradients and running statistics stay the same.
        backend: of the scans; see :func:`monai_medmamba.ops.cross_selective_scan`.
        patch_size: edges of a patch in pixels, one for all axes or one for each in the order of the input's axes.
        patch_stride: pixels from a patch to the next, likewise; None for ``patch_size``. At most ``patch_size``.
        merge_strides: what divides the map's size between stages, 2 along an axis that is halved and 1 along one that
            stays: one for everything, or one for each step between stages, itself one for all axes or one for each.

    Raises:
        ValueError: the sizes do not fit together.

    Example:
        >>> net = MedMamba(num_classes=5, depths=(1, 1), dims=(16, 32)).eval()
        >>> net(torch.zeros(2, 3, 40, 60)).shape
        torch.Size([2, 5])
        >>> thick = {"patch_size": (1, 4, 4), "merge_strides": [(1, 2, 2)]}
        >>> net = MedMamba(3, 1, num_classes=5, depths=(1, 1), dims=(8, 16), **thick).eval()
        >>> net(torch.zeros(2, 1, 6, 32, 40)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        in_channels: int = 3,
        *,
        num_classes: int,
        depths: Sequence[int] = (2, 2, 4, 2),
        dims: Sequence[int] = (96, 192, 384, 768),
        d_state: int = 16,
        drop_path_rate: float = 0.1,
        use_checkpoint: bool | Sequence[bool] = False,
        backend: str | None = None,
        patch_size: int | Sequence[int] = PATCH,
        patch_stride: int | Sequence[int] | None = None,
        merge_strides: int | Sequence[int | Sequence[int]] = MERGE,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims: expected 2 or 3, got {spatial_dims}")
        if len(depths) != len(dims) or not depths:
            raise ValueError(f"expected one depth for each dim, got depths {tuple(depths)} and dims {tuple(dims)}")
        if any(later != 2 * earlier for earlier, later in itertools.pairwise(dims)):
            raise ValueError(f"dims: expected each stage twice as wide as the one before, got {tuple(dims)}")
        if num_classes < 1:
            raise ValueError(f"num_classes: expected at least 1, got {num_classes}")
        self.spatial_dims, self.in_channels, self.num_classes = spatial_dims, in_channels, num_classes
        self.depths, self.dims, self.d_state = tuple(depths), tuple(dims), d_state
        self.drop_path_rate = drop_path_rate
        merges = _one_a_place("merge_strides", merge_strides, len(dims) - 1, "step between stages")
        again = _one_a_place("use_checkpoint", use_checkpoint, len(dims), "stage")

        rates = iter(torch.linspace(0, drop_path_rate, sum(depths)).tolist())
        self.stem = PatchStem(spatial_dims, in_channels, dims[0], patch_size, patch_stride)
        self.stages = nn.ModuleList()
        for stage, (depth, dim) in enumerate(zip(depths, dims, strict=True)):
            shared = (backend, again[stage])
            blocks = [SSConvSSM(spatial_dims, dim, d_state, next(rates), *shared) for _ in range(depth)]
            last = stage == len(dims) - 1
            self.stages.append(
                Stage(blocks, nn.Identity() if last else PatchDownsample(spatial_dims, dim, merges[stage]))
            )
        self.head = nn.Linear(dims[-1], num_classes)
        init_convolutions_and_linears(self)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits of images.

        Args:
            x: (B, in_channels, *space), every edge at least ``smallest_edges``: 32 unless strides are given; odd
                sizes allowed.

        Returns:
            Logits, (B, num_classes).

        Raises:
            ValueError: the input has another number of axes or channels, or an edge is too small.
        """
        last = self.forward_features(x)[-1]
        return self.head(last.flatten(2).mean(-1))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Returns the map of each stage, before it is merged for the next.

        Args:
            x: (B, in_channels, *space).

        Returns:
            One map a stage, (B, dims[i], *space / feature_strides[i]), channels first (a view of a channels-last
            map). By default the strides are 4 * 2**i.
        """
        self._check(x)
        maps = []
        # A MetaTensor would carry its metadata, in Python, through every operation of the network.
        x = x.as_tensor() if isinstance(x, MetaTensor) else x
        x = self.stem(x if torch.is_autocast_enabled(x.device.type) else x.to(self.stem.proj.weight.dtype))
        for stage in self.stages:
            last, x = stage(x)
            maps.append(last.movedim(-1, 1))
        return maps

    def fuse(self, dtype: torch.dtype | None = None) -> MedMamba:
        """Returns a copy for inference alone, that computes the same in fewer steps.

        Batch normalisations are folded into the convolutions before them, or become one multiplication and addition
        where they stand before one; what the scans want of their parameters is computed once. The copy suits a CUDA
        graph and ``torch.compile``. It cannot be trained, and its weights are no checkpoint.

        Args:
            dtype: of weights and maps, such as ``torch.bfloat16``; None keeps them. The scans' own parameters stay
                in float32, and so does the state. Without autocast: images are converted, logits are of this dtype.

        Returns:
            A network in evaluation mode on the same device.

        Example:
            >>> net = MedMamba(num_classes=2, depths=(1,), dims=(16,)).eval()
            >>> x = torch.randn(1, 3, 32, 32)
            >>> torch.allclose(net.fuse()(x), net(x), atol=1e-5)
            True
        """
        fused = copy.deepcopy(self).eval().requires_grad_(False)
        for module in list(fused.modules()):
            if isinstance(module, SSConvSSM):
                module.fuse()
        # Weights in the order that the convolutions of our maps take them: else each call copies them.
        channels_last = torch.channels_last if self.spatial_dims == 2 else torch.channels_last_3d
        fused.to(memory_format=channels_last)  # type: ignore[call-overload]
        if dtype is not None:
            kept = {id(getattr(m, name)) for m in fused.modules() for name in _SCAN if isinstance(m, SS2D | SS3D)}
            for tensor in (*fused.parameters(), *fused.buffers()):
                if tensor.is_floating_point() and id(tensor) not in kept:
                    tensor.data = tensor.data.to(dtype)
        return fused

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that build a network of this shape, JSON-able.

        Patches and strides appear where they are not the published network's.
        """
        proj, axes = self.stem.proj, self.spatial_dims
        size, step = tuple(proj.kernel_size), tuple(proj.stride)
        merges = self.merge_strides
        strides: dict[str, Any] = {}
        if size != (PATCH,) * axes:
            strides["patch_size"] = list(size)
        if step != size:
            strides["patch_stride"] = list(step)
        if any(merge != (MERGE,) * axes for merge in merges):
            strides["merge_strides"] = [list(merge) for merge in merges]
        return {
            "spatial_dims": self.spatial_dims,
            "in_channels": self.in_channels,
            "num_classes": self.num_classes,
            "depths": list(self.depths),
            "dims": list(self.dims),
            "d_state": self.d_state,
            **strides,
        }

    @property
    def feature_strides(self) -> tuple[tuple[int, ...], ...]:
        """Pixels of the input to one position of each stage's map, along each axis."""
        found = [tuple(self.stem.proj.stride)]
        for merge in self.merge_strides:
            found.append(tuple(stride * by for stride, by in zip(found[-1], merge, strict=True)))
        return tuple(found)

    @property
    def smallest_edges(self) -> tuple[int, ...]:
        """The smallest input, along each axis: 32 at the published strides, more or less in proportion to others."""
        usual = PATCH * MERGE ** (len(self.dims) - 1)
        return tuple(max(stride, -(-MIN_SIZE * stride // usual)) for stride in self.feature_strides[-1])

    @property
    def merge_strides(self) -> list[tuple[int, ...]]:
        """What each step between stages divides the map by, along each axis."""
        return [m.downsample.strides for m in self.stages if isinstance(m.downsample, PatchDownsample)]

    def _check(self, x: Tensor) -> None:
        if torch.jit.is_tracing():
            return
        if x.dim() != self.spatial_dims + 2 or x.shape[1] != self.in_channels:
            axes = "H, W" if self.spatial_dims == 2 else "H, W, Z"
            raise ValueError(f"expected images of shape (B, {self.in_channels}, {axes}), got {tuple(x.shape)}")
        smallest = self.smallest_edges
        if any(edge < least for edge, least in zip(x.shape[2:], smallest, strict=True)):
            least = str(smallest[0]) if len(set(smallest)) == 1 else " x ".join(map(str, smallest))
            raise ValueError(
                f"expected every edge at least {least} pixels, got {tuple(x.shape[2:])}: resize or pad the image"
            )


def _one_a_place(name: str, value: Any, places: int, place: str) -> list[Any]:
    """Returns one value for each place from one for all, or as many as there are places."""
    if isinstance(value, int):  # bool too
        return [value] * places
    if len(value) != places:
        raise ValueError(f"{name}: expected one for all, or {places}, one for each {place}, got {value}")
    return list(value)
