"""Validation spread over processes: each infers a part of a batch, and all get the whole result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

__all__ = ["SharedInferer"]


class SharedInferer(Inferer):
    """Infers every n-th image of a batch in each of n processes and gathers the results in all of them.

    What follows in an evaluator, be it a metric, a picture or the choice of the best epoch, then needs to know
    nothing of other processes: each sees all predictions, in the order of the images, and comes to the same figures.
    Every process must be given the same batch.

    Args:
        inferer: what infers the part.

    Example:
        >>> from monai.inferers import SimpleInferer
        >>> SharedInferer(SimpleInferer())(torch.zeros(3, 2), torch.nn.Linear(2, 4)).shape
        torch.Size([3, 4])
    """

    def __init__(self, inferer: Inferer) -> None:
        super().__init__()
        self.inferer = inferer

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Returns the predictions of the whole batch.

        Args:
            inputs: (B, ...), B at least 1.
            network: from a batch to (B, C).
            args: passed on to the inferer.
            kwargs: passed on to the inferer.

        Returns:
            (B, C); float32 where there are several processes.
        """
        if not dist.is_initialized():
            return self.inferer(inputs, network, *args, **kwargs)
        inputs = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        total, rank, count = len(inputs), dist.get_rank(), dist.get_world_size()
        each = -(-total // count)
        # Images are repeated where the batch does not go round, so that all parts have one length.
        places = (rank + count * torch.arange(each, device=inputs.device)) % total
        part = self.inferer(inputs[places], network, *args, **kwargs).float().contiguous()
        parts = [torch.empty_like(part) for _ in range(count)]
        dist.all_gather(parts, part)
        return torch.stack(parts, 1).flatten(0, 1)[:total]
