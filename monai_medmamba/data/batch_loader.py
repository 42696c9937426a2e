"""A loader that has the next batches ready while the network works on this one."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from torch.utils.data import DataLoader, Sampler

from monai_medmamba.data.cached_images import CachedImages


class BatchLoader(DataLoader[dict[str, Any]]):
    """Loads the batches of ``CachedImages`` in the background.

    A thread gathers them: a batch then is one copy out of the cache, and no second one through shared memory. What is
    not cached is read by processes. An error there is raised here, with the file it is about, which MONAI's
    ``ThreadDataLoader`` does not do. The order is drawn when a pass begins and in the thread that begins it, so that it
    depends on the seed alone.

    Args:
        dataset: What to load from.
        batch_size: Images in a batch.
        shuffle: Draws a new order for each pass from torch's global generator.
        sampler: Draws it instead, as for several processes.
        num_workers: Processes that read what is not cached, or threads where the system cannot fork.
        drop_last: Leaves out a last batch that is not full.
        pin_memory: Puts batches where a GPU can copy them from while the host goes on.
        ahead: Batches to have ready.

    Raises:
        ValueError: ``num_workers`` or ``ahead`` is below 1, or the sampler comes with ``shuffle``.

    Example:
        >>> from torch import zeros
        >>> images = CachedImages([{"image": i} for i in range(5)], lambda item: {"image": zeros(3, 4, 4)})
        >>> [len(batch["image"]) for batch in BatchLoader(images, batch_size=2)]
        [2, 2, 1]
    """

    def __init__(
        self,
        dataset: CachedImages,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Sampler[int] | None = None,
        num_workers: int = 1,
        drop_last: bool = False,
        pin_memory: bool = False,
        ahead: int = 2,
    ) -> None:
        if num_workers < 1 or ahead < 1:
            raise ValueError(f"expected at least 1 worker and 1 batch ahead, got num_workers={num_workers}, {ahead=}")
        # The parent's own workers are processes: it has none, and gives the sampling alone.
        super().__init__(dataset, batch_size=batch_size, shuffle=shuffle, sampler=sampler, drop_last=drop_last)
        self.images, self.workers, self.pinned, self.ahead = dataset, num_workers, pin_memory, ahead

    def __iter__(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # the parent names a class of its own
        """Begins a pass."""
        return self._load(list(self.batch_sampler or ()))

    def _load(self, batches: list[Sequence[int]]) -> Iterator[dict[str, Any]]:
        wanted = [index for indices in batches for index in self.images.not_cached(indices)]
        most = (self.ahead + 1) * max(map(len, batches), default=0)
        with self.images.reading(wanted, self.workers, most) as read:
            gathering = ThreadPoolExecutor(1, thread_name_prefix="gather")

            def gather(indices: Sequence[int]) -> dict[str, Any]:
                return self.images.batch(indices, read, self.pinned)

            coming = iter(batches)
            ready: deque[Future[dict[str, Any]]] = deque()
            try:
                ready.extend(gathering.submit(gather, indices) for indices in islice(coming, self.ahead))
                while ready:
                    batch = ready.popleft().result()
                    ready.extend(gathering.submit(gather, indices) for indices in islice(coming, 1))
                    yield batch
            finally:
                gathering.shutdown(cancel_futures=True)
