"""One order of the images for all processes, and of each batch a share for this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch.distributed as dist

from ..data import BatchLoader

__all__ = ["SharedBatchLoader", "share_of"]


def share_of(batch: Sequence[int], rank: int, count: int) -> Sequence[int]:
    """Returns the part of a batch that belongs to one process.

    Args:
        batch: what all processes take together, at least one for each.
        rank: of the process.
        count: of processes.

    Returns:
        Every ``count``-th entry; the shares differ by one at most.

    Raises:
        ValueError: there is nothing for some process.

    Example:
        >>> [share_of([7, 8, 9, 5, 6], rank, 2) for rank in (0, 1)]
        [[7, 9, 6], [8, 5]]
    """
    if len(batch) < count:
        raise ValueError(
            f"expected an image for each of {count} processes in every batch, got a batch of {len(batch)}: "
            "start fewer processes, or set --batch_size so that the last batch is larger"
        )
    return batch[rank::count]


class SharedBatchLoader(BatchLoader):
    """Loads this process's share of the batches that one process alone would load.

    The first process draws the order, with whatever sampler it has, and sends it to the others. So the batches are
    those of a training in one process with the same seed, their number too, and with it the schedule of the learning
    rate.

    Args:
        dataset: What to load from; the same in every process.
        batch_size: Images in a batch, over all processes.
        shuffle: Draws a new order for each pass from torch's global generator.
        sampler: Draws it instead.
        num_workers: Threads of this process that decode what is not cached.
        drop_last: Leaves out a last batch that is not full.
        pin_memory: Puts batches where a GPU can copy them from while the host goes on.
        ahead: Batches to have ready.

    Raises:
        ValueError: As ``BatchLoader``; and in a pass, where a batch has fewer images than there are processes.

    Example:
        >>> from torch import zeros
        >>> from monai_medmamba.data import CachedImages
        >>> images = CachedImages([{"image": i} for i in range(5)], lambda item: {"image": zeros(3, 4, 4)})
        >>> [len(batch["image"]) for batch in SharedBatchLoader(images, batch_size=2)]  # one process: all of it
        [2, 2, 1]
    """

    def __iter__(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # the parent names a class of its own
        """Begins a pass."""
        batches: list[Sequence[int]] = list(self.batch_sampler or ())
        if not dist.is_initialized():
            return self._load(batches)
        sent = [batches]
        dist.broadcast_object_list(sent, src=0)
        rank, count = dist.get_rank(), dist.get_world_size()
        return self._load([share_of(batch, rank, count) for batch in sent[0]])
