"""Classifies volumes by a two-dimensional network shared over their slices: 2.5-D."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

__all__ = ["SliceBagInferer"]


class SliceBagInferer(Inferer):
    """Gives a volume to a network of bags as its slices, each with its neighbours as channels.

    The network may be MONAI's ``MILModel`` over ``PooledFeatures`` of a 2-D MedMamba, which weighs slices by
    attention. Trainers and evaluators take the inferer alike; gradients pass through it.

    Args:
        axis: Across the slices: 0, 1 or 2; 2, the default, gives axial slices of volumes as ``LoadVolume`` reads them.
        neighbours: Slices on each side that become channels: (2 ``neighbours`` + 1) times those of the volume. Beside
            the first and last slice these are repeated.
        slices: How many slices to give, spread evenly over the volume; None gives all.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> from monai.networks.nets import MILModel
        >>> from monai_medmamba.networks import MedMamba, PooledFeatures
        >>> features = PooledFeatures(MedMamba(num_classes=2, depths=(1,), dims=(16,)))
        >>> options = {"backbone": features, "backbone_num_features": 16, "pretrained": False}
        >>> SliceBagInferer(slices=4)(torch.zeros(1, 1, 32, 32, 9), MILModel(2, mil_mode="att", **options).eval()).shape
        torch.Size([1, 2])
    """

    def __init__(self, axis: int = 2, neighbours: int = 1, slices: int | None = None) -> None:
        if axis not in (0, 1, 2) or neighbours < 0 or (slices is not None and slices < 1):
            raise ValueError(
                f"expected axis 0, 1 or 2, neighbours from 0 and slices from 1, got {axis=}, {neighbours=}, {slices=}"
            )
        self.axis, self.neighbours, self.slices = axis, neighbours, slices

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Classifies a batch of volumes.

        Args:
            inputs: (B, C, X, Y, Z).
            network: Takes bags (B, slices, channels, H, W) to logits (B, classes).
            args: Further arguments of the network.
            kwargs: Further named arguments of the network.

        Returns:
            What the network gives: logits (B, classes).

        Raises:
            ValueError: The input is no batch of volumes.
        """
        return network(self.bag(inputs), *args, **kwargs)

    def bag(self, volumes: Tensor) -> Tensor:
        """Returns the slices of volumes.

        Args:
            volumes: (B, C, X, Y, Z).

        Returns:
            (B, slices, (2 neighbours + 1) C, H, W); of each slice, all channels of its lowest neighbour come first.

        Raises:
            ValueError: It is no batch of volumes.
        """
        if volumes.dim() != 5:
            raise ValueError(f"expected volumes (B, C, X, Y, Z), got {tuple(volumes.shape)}")
        volumes = volumes.as_tensor() if isinstance(volumes, MetaTensor) else volumes
        stack = volumes.movedim(2 + self.axis, 1)  # (B, depth, C, H, W)
        depth = stack.shape[1]
        middle = torch.arange(depth, device=stack.device)
        if self.slices is not None:
            middle = torch.linspace(0, depth - 1, self.slices, device=stack.device).round().long()
        around = torch.arange(-self.neighbours, self.neighbours + 1, device=stack.device)
        chosen = (middle[:, None] + around).clamp(0, depth - 1)
        return stack[:, chosen].flatten(2, 3)
