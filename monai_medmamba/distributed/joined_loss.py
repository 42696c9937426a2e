"""The loss of a batch whose images lie in several processes."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["JoinedLoss"]


class JoinedLoss(nn.Module):
    """Returns the mean loss over the images of all processes, and gives each process its part of the gradient.

    ``DistributedDataParallel`` averages gradients with equal weight. That is the gradient of the whole batch only
    where every process has as many images and, for a loss with class weights, as much weight. Here each process's
    mean counts by what it was divided by, so any shares give the gradient of one process with the whole batch.

    Every process returns the same number. A loss that is not finite therefore stops all of them at the same step.

    Args:
        loss: takes predictions and labels and returns a mean: over the batch, or, as ``torch.nn.CrossEntropyLoss``
            with class weights does, weighted by the class of each image.

    Example:
        >>> joined = JoinedLoss(nn.CrossEntropyLoss())  # one process: the loss itself
        >>> round(joined(torch.zeros(3, 2), torch.tensor([0, 1, 1])).item(), 4)
        0.6931
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """Returns the loss.

        Args:
            predictions: (B, C) of this process, B at least 1.
            labels: as the loss takes them.

        Returns:
            A scalar: the value over all processes, with a gradient that ``DistributedDataParallel`` averages rightly.
        """
        mean = self.loss(predictions, labels)
        if not dist.is_initialized():
            return mean
        weight = self._weight(labels, mean)
        sums = torch.stack([mean.detach() * weight, weight])
        dist.all_reduce(sums)
        own = mean * (weight * dist.get_world_size() / sums[1])
        return own + (sums[0] / sums[1] - own).detach()

    def _weight(self, labels: Tensor, mean: Tensor) -> Tensor:
        """Returns what the sum over this process's images was divided by."""
        by_class = getattr(self.loss, "weight", None) if isinstance(self.loss, nn.CrossEntropyLoss) else None
        if by_class is not None and not labels.is_floating_point():
            return by_class[labels].sum().to(mean.dtype)
        return torch.full_like(mean.detach(), len(labels))
