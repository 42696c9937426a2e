"""The attribution that the selective scans themselves give: where they collected what speaks for a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ..networks import MedMamba
from .activation_maps import resized
from .scan_record import ScanCall, ScanRecord
from .scan_shares import scan_shares

__all__ = ["ScanAttribution", "attribute_scans"]


@dataclass(frozen=True, eq=False)
class ScanAttribution:
    """What the pixels of images do for a class, traced through the directions of the scans; in units of log odds.

    Args:
        given: What each pixel gives through the state of each direction, (B, K, *space), signed. In two dimensions
            the directions are rows, columns, and both backwards.
        kept: What each pixel gives itself through each direction's skip, (B, K, *space), signed.

    Example:
        >>> attribution = ScanAttribution(torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2))
        >>> attribution.total[0].tolist()
        [[8.0, 8.0], [8.0, 8.0]]
    """

    given: Tensor
    kept: Tensor

    @property
    def directions(self) -> Tensor:
        """All that goes through each direction, (B, K, *space), signed."""
        return self.given + self.kept

    @property
    def total(self) -> Tensor:
        """The sum of all directions, (B, *space), signed; its sum is what the image adds to the log odds."""
        return self.directions.sum(1)


def attribute_scans(
    network: MedMamba, x: Tensor, class_index: int, *, stages: Sequence[int] = (0,), steps: int = 16
) -> ScanAttribution:
    """Returns what each pixel does for a class, traced through the implicit attention of scans.

    The evidence of a token after a block is the part that it has in the change of the class's log odds from an image
    of the mean colour to the image itself, integrated along the straight line between both. A block's scans then
    tell where the token comes from: its evidence is shared out among the tokens j in proportion to what the terms
    ``(M_k + D_k)[i, j] x_j`` of the sum ``y_i`` contribute to the direction of ``y_i``, which is all that the layer
    normalisation behind the scans lets through. Tokens are spread over the pixels that they stand for; the blocks
    are averaged.

    Source: the integral is that of integrated gradients (arXiv 1703.01365), taken at a layer (arXiv 1805.12233); the
    matrix is the implicit attention of Mamba (arXiv 2403.01590); to share out by projection is our choice.

    Args:
        network: Is used in evaluation mode, and left as it is.
        x: Images, (B, in_channels, *space).
        class_index: The class to explain.
        stages: Whose blocks are followed; the first has the finest tokens.
        steps: Of the integral, at least 1; the more, the nearer the sum of a map is to the change of the log odds.

    Returns:
        Maps at the size of the images.

    Raises:
        IndexError: There is no such stage.
        ValueError: There is less than 1 step.

    Example:
        >>> net = MedMamba(num_classes=2, depths=(1, 1), dims=(8, 16))
        >>> attribute_scans(net, torch.randn(1, 3, 40, 36), 1).directions.shape
        torch.Size([1, 4, 40, 36])
    """
    if steps < 1:
        raise ValueError(f"expected at least 1 step, got {steps}")
    chosen = {range(len(network.stages))[stage] for stage in stages}
    mean = x.flatten(2).mean(2).reshape(*x.shape[:2], *[1] * (x.dim() - 2)).expand_as(x)
    training = network.training
    try:
        network.eval()
        passes = _pass(network, mean, class_index, chosen)
        evidence = [torch.zeros_like(seen.grad[..., 0]) for seen in passes]
        for step in range(1, steps + 1):
            before, passes = passes, _pass(network, torch.lerp(mean, x, step / steps), class_index, chosen)
            for total, old, new in zip(evidence, before, passes, strict=True):
                total += ((new.output - old.output) * (new.grad + old.grad) / 2).sum(-1)
    finally:
        network.train(training)
    given, kept = (x.new_zeros(len(x), 2 * network.spatial_dims, *x.shape[2:]) for _ in range(2))
    for share, seen in zip(evidence, passes, strict=True):
        y = seen.scan.y - seen.scan.y.mean(-1, keepdim=True)
        weights = share[..., None] * y / y.square().sum(-1, keepdim=True).clamp_min(torch.finfo(y.dtype).tiny)
        parts = scan_shares(weights, *seen.scan.tensors, backend=seen.scan.backend or None)
        for total, part in zip((given, kept), parts, strict=True):
            total += _spread(part, x.shape[2:]) / len(passes)
    return ScanAttribution(given, kept)


class _Seen(NamedTuple):
    """A block while images go through it: its result, the gradient of the log odds in that, and its scan."""

    output: Tensor
    grad: Tensor
    scan: ScanCall


def _pass(network: MedMamba, images: Tensor, class_index: int, stages: set[int]) -> list[_Seen]:
    """Returns what the blocks of some stages do with images."""
    blocks = [block for stage in network.stages for block in cast(nn.ModuleList, stage.blocks)]
    stage_of = [stage for stage, depth in enumerate(network.depths) for _ in range(depth)]
    outputs: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda _block, _input, output: outputs.append(output)) for block in blocks]
    try:
        with torch.enable_grad(), ScanRecord() as record:
            logits = network(images.detach().clone().requires_grad_())
            odds = _log_odds(logits, class_index).sum()
    finally:
        for hook in hooks:
            hook.remove()
    seen = [pair for *pair, stage in zip(outputs, record.calls, stage_of, strict=True) if stage in stages]
    grads = torch.autograd.grad(odds, [output for output, _scan in seen])
    return [
        _Seen(output.detach(), grad, scan._replace(y=scan.y.detach()))
        for (output, scan), grad in zip(seen, grads, strict=True)
    ]


def _log_odds(logits: Tensor, class_index: int) -> Tensor:
    """Returns how far the logit of a class is above those of all others together, (B,)."""
    others = torch.cat([logits[:, :class_index], logits[:, class_index + 1 :]], dim=1)
    return logits[:, class_index] - (others.logsumexp(1) if others.shape[1] else 0)


def _spread(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Returns maps at the size of the image, with the same sums but for what rounding sizes changes at the border."""
    tokens, pixels = maps[0, 0].numel(), torch.Size(size).numel()
    return resized(maps, size) * (tokens / pixels)
