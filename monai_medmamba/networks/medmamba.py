"""MedMamba: a classification network of four stages of SS-Conv-SSM blocks."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..layers import SS2D, SS3D, PatchDownsample, PatchStem, SSConvSSM
from ..layers.initialization import init_convolutions_and_linears

__all__ = ["MedMamba"]

MIN_SIZE = 32
_NOT_DECAYED = ("A_log", "D", "dt_bias")
_SCAN = ("dt_weight", "dt_bias", "A_log", "D")


class Stage(nn.Module):
    """The blocks of one resolution, and what halves their map for the next stage.

    Args:
        blocks: run one after the other.
        downsample: the step to the next stage.
        use_checkpoint: recompute blocks in the backward pass instead of keeping what is inside them.

    Example:
        >>> Stage([nn.Identity()], nn.Flatten())(torch.zeros(1, 2, 3))[1].shape
        torch.Size([1, 6])
    """

    def __init__(self, blocks: Iterable[nn.Module], downsample: nn.Module, use_checkpoint: bool = False) -> None:
        super().__init__()
        self.blocks, self.downsample, self.use_checkpoint = nn.ModuleList(blocks), downsample, use_checkpoint

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the map after the blocks, and the one that the next stage takes."""
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.use_checkpoint and self.training else block(x)
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
        use_checkpoint: recompute blocks in the backward pass instead of keeping what is inside them.
        backend: of the scans; see :func:`monai_medmamba.ops.cross_selective_scan`.

    Raises:
        ValueError: the sizes do not fit together.

    Example:
        >>> net = MedMamba(num_classes=5, depths=(1, 1), dims=(16, 32)).eval()
        >>> net(torch.zeros(2, 3, 40, 60)).shape
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
        use_checkpoint: bool = False,
        backend: str | None = None,
    ) -> None:
        super().__init__()
        if len(depths) != len(dims) or not depths:
            raise ValueError(f"expected one depth for each dim, got depths {tuple(depths)} and dims {tuple(dims)}")
        if any(later != 2 * earlier for earlier, later in itertools.pairwise(dims)):
            raise ValueError(f"dims: expected each stage twice as wide as the one before, got {tuple(dims)}")
        if num_classes < 1:
            raise ValueError(f"num_classes: expected at least 1, got {num_classes}")
        self.spatial_dims, self.in_channels, self.num_classes = spatial_dims, in_channels, num_classes
        self.depths, self.dims, self.d_state = tuple(depths), tuple(dims), d_state
        self.drop_path_rate = drop_path_rate

        rates = iter(torch.linspace(0, drop_path_rate, sum(depths)).tolist())
        self.stem = PatchStem(spatial_dims, in_channels, dims[0])
        self.stages = nn.ModuleList()
        for stage, (depth, dim) in enumerate(zip(depths, dims, strict=True)):
            blocks = [SSConvSSM(spatial_dims, dim, d_state, next(rates), backend) for _ in range(depth)]
            downsample = PatchDownsample(spatial_dims, dim) if stage < len(dims) - 1 else nn.Identity()
            self.stages.append(Stage(blocks, downsample, use_checkpoint))
        self.head = nn.Linear(dims[-1], num_classes)
        init_convolutions_and_linears(self)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits of images.

        Args:
            x: (B, in_channels, *space), every edge at least 32; odd sizes allowed.

        Returns:
            Logits, (B, num_classes).

        Raises:
            ValueError: the input has another number of axes or channels, or an edge is under 32.
        """
        last = self.forward_features(x)[-1]
        return self.head(last.flatten(2).mean(-1))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Returns the map of each stage, before it is merged for the next.

        Args:
            x: (B, in_channels, *space).

        Returns:
            One map a stage, (B, dims[i], *space / (4 * 2**i)), channels first (a view of a channels-last map).
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

    def param_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Returns the parameters as two optimiser groups: decayed, and not decayed.

        Biases, normalisation, skips, step biases and the state matrix are not decayed: they set offsets and time
        scales, not weights.

        Args:
            weight_decay: of the first group, at least 0.

        Returns:
            Groups for a torch optimiser.

        Example:
            >>> net = MedMamba(num_classes=2, depths=(1,), dims=(16,))
            >>> [group["weight_decay"] for group in net.param_groups(0.05)]
            [0.05, 0.0]
        """
        decayed: list[nn.Parameter] = []
        kept: list[nn.Parameter] = []
        for name, parameter in self.named_parameters():
            free = parameter.dim() < 2 or name.rsplit(".", 1)[-1] in _NOT_DECAYED
            (kept if free else decayed).append(parameter)
        return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that build a network of this shape, JSON-able."""
        return {
            "spatial_dims": self.spatial_dims,
            "in_channels": self.in_channels,
            "num_classes": self.num_classes,
            "depths": list(self.depths),
            "dims": list(self.dims),
            "d_state": self.d_state,
        }

    def _check(self, x: Tensor) -> None:
        if torch.jit.is_tracing():
            return
        if x.dim() != self.spatial_dims + 2 or x.shape[1] != self.in_channels:
            axes = "H, W" if self.spatial_dims == 2 else "H, W, Z"
            raise ValueError(f"expected images of shape (B, {self.in_channels}, {axes}), got {tuple(x.shape)}")
        if min(x.shape[2:]) < MIN_SIZE:
            raise ValueError(
                f"expected every edge at least {MIN_SIZE} pixels, got {tuple(x.shape[2:])}: resize or pad the image"
            )
