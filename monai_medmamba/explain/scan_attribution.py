"""The attribution that the selective scans themselves give: which pixels they carry towards a class, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..networks import MedMamba
from .activation_maps import resized
from .scan_record import ScanRecord
from .scan_shares import scan_shares

__all__ = ["ScanAttribution", "attribute_scans"]


@dataclass(frozen=True, eq=False)
class ScanAttribution:
    """What the pixels of images do for a class through the scans, in units of the logit.

    Args:
        sources: What each pixel gives away through each direction, (B, K, *space), signed. In two dimensions the
            directions are rows, columns, and both backwards.
        targets: What each pixel receives through each direction, (B, K, *space), signed; with the sum of ``sources``.
        skip: What each pixel gives to itself past the scans, (B, *space), signed; no part of what follows.

    Example:
        >>> attribution = ScanAttribution(torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2), torch.ones(1, 2, 2))
        >>> attribution.total[0].tolist()
        [[4.0, 4.0], [4.0, 4.0]]
    """

    sources: Tensor
    targets: Tensor
    skip: Tensor

    @property
    def directions(self) -> Tensor:
        """Each share split evenly between the pixel that gives and the one that receives, (B, K, *space), signed."""
        return (self.sources + self.targets) / 2

    @property
    def total(self) -> Tensor:
        """The sum of all directions, (B, *space), signed."""
        return self.directions.sum(1)


def attribute_scans(
    network: MedMamba, x: Tensor, class_index: int, *, stages: Sequence[int] | None = None
) -> ScanAttribution:
    """Returns what each pixel does for a class through the scans of a network.

    The shares of a block's tokens (see ``scan_shares``) are spread over the pixels that each token stands for, and
    those of several blocks are added up.

    Args:
        network: Is used in evaluation mode, and left as it is.
        x: Images, (B, in_channels, *space).
        class_index: The class to explain.
        stages: Whose blocks are added up; None for all.

    Returns:
        Maps at the size of the images.

    Raises:
        IndexError: There is no such stage.

    Example:
        >>> net = MedMamba(num_classes=2, depths=(1, 1), dims=(8, 16))
        >>> attribute_scans(net, torch.randn(1, 3, 40, 36), 1).directions.shape
        torch.Size([1, 4, 40, 36])
    """
    chosen = {range(len(network.depths))[stage] for stage in (range(len(network.depths)) if stages is None else stages)}
    training = network.training
    try:
        with torch.enable_grad(), ScanRecord() as record:
            score = network.eval()(x.detach().clone().requires_grad_())[:, class_index].sum()
    finally:
        network.train(training)
    stage_of = [stage for stage, depth in enumerate(network.depths) for _ in range(depth)]
    calls = [call for stage, call in zip(stage_of, record.calls, strict=True) if stage in chosen]
    sums: dict[str, Tensor] = {}
    for call, grad_y in zip(calls, torch.autograd.grad(score, [call.y for call in calls]), strict=True):
        shares = scan_shares(grad_y, *call.tensors, backend=call.backend or None)
        for name, part in (("sources", shares.sources), ("targets", shares.targets), ("skip", shares.skip[:, None])):
            sums[name] = sums.get(name, 0) + _spread(part, x.shape[2:])
    return ScanAttribution(sums["sources"], sums["targets"], sums["skip"][:, 0])


def _spread(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Returns maps at the size of the image, with the same sums but for what rounding sizes changes at the border."""
    tokens, pixels = maps[0, 0].numel(), torch.Size(size).numel()
    return resized(maps, size) * (tokens / pixels)
