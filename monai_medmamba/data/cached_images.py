"""Images of one size that were decoded once and wait in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from monai.data import MetaTensor
from monai.utils import CommonKeys, ImageMetaKey
from torch.utils.data import Dataset

from monai_medmamba.data.reading_processes import ReadingProcesses, array_of, can_read_in_processes, shared_empty

IMAGE, LABEL = CommonKeys.IMAGE, CommonKeys.LABEL
Read = Callable[[Sequence[int]], Iterable[torch.Tensor]]
"""Gives the images of some indices that are not cached."""

KEPT_BYTES = 32 * 2**20 - 2**16
"""Just below the largest freed block after which glibc's malloc keeps blocks of up to that size for the next one."""
THREADS = 4
"""That decode at most: MONAI's transforms hold the interpreter for half their time, and more only wait for it."""
WORTH = 64
"""Images from which processes are worth their start."""
WAITING = 2
"""Images for each process that may wait to be taken."""


def keep_freed_memory() -> None:
    """Lets malloc keep the memory of one image for the next, in this process and in those that are forked from it.

    An image passes through some ten arrays of about a megabyte. Out of the box glibc's malloc returns each to the
    system and fetches the next one from there, page by page, and threads wait for each other in doing so. It keeps
    them once a large block has been freed, so one is; other allocators do not mind.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)


class CachedImages(Dataset[dict[str, Any]]):
    """A data set that keeps the first images of a list in one tensor and decodes the others each time.

    Beside MONAI's ``CacheDataset``, which keeps one object an image, it gives a batch in one copy; ``BatchLoader``
    makes use of that.

    Args:
        data: Items with ``image``, a path, and where it is known ``label``, an integer or a list of them.
        transform: From an item to one whose ``image`` is a MetaTensor; without anything random, and with the same
            shape and dtype for each image. It runs in several processes or threads at once, and may not use a GPU.
        cache_num: How many images to keep at most; the first ones of ``data``. They are decoded at once.
        num_workers: Processes for that, where the system can fork and the images are not few; else threads.
        progress: Shows a bar meanwhile.

    Raises:
        ValueError: Two images differ in shape or dtype once transformed.

    Example:
        >>> images = CachedImages([{"image": 0, "label": 1}], lambda item: {**item, "image": torch.zeros(3, 4, 4)})
        >>> images.batch([0, 0])["image"].shape
        torch.Size([2, 3, 4, 4])
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Callable[[dict[str, Any]], Mapping[str, Any]],
        cache_num: int = 0,
        num_workers: int = 1,
        progress: bool = False,
    ) -> None:
        self.data, self.transform = [dict(item) for item in data], transform
        self.cache_num = min(cache_num, len(self.data))
        self._cache = torch.empty(0)
        if self.cache_num:
            self._fill(num_workers, progress)

    def __len__(self) -> int:
        """Returns the number of images, cached or not."""
        return len(self.data)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Returns one item, its ``image`` with the name of its file."""
        image = self._cache[index].clone() if index < self.cache_num else self._decode(index)
        return {**self.data[index], IMAGE: MetaTensor(image, meta={ImageMetaKey.FILENAME_OR_OBJ: self._file(index)})}

    def not_cached(self, indices: Iterable[int]) -> list[int]:
        """Returns those of some indices whose images have to be read, each once, in order."""
        return sorted({index for index in indices if index >= self.cache_num})

    @contextmanager
    def reading(self, indices: Sequence[int], num_workers: int, ahead: int = 0) -> Iterator[Read]:
        """Makes ready to read images.

        Args:
            indices: Of all that will be read, in that order.
            num_workers: Processes that read, where the system can fork and the images are not few; else threads.
            ahead: Images that may be read before they are asked for.

        Yields:
            What takes the next of these indices and gives their images.
        """
        keep_freed_memory()
        if num_workers > 1 and len(indices) >= WORTH and can_read_in_processes():
            like = self._cache[0] if len(self._cache) else self._decode(indices[0])
            places = max(ahead, WAITING * num_workers)
            with ReadingProcesses(self._decode, indices, like, num_workers, places) as images:
                yield lambda wanted: islice(images, len(wanted))
            return
        torch.get_num_threads()  # settles the caller's own number, which would be the last thread's otherwise
        # An operation is not spread over further threads, so that they do not fight.
        threads = ThreadPoolExecutor(
            min(num_workers, THREADS), "decode", initializer=torch.set_num_threads, initargs=(1,)
        )
        try:
            yield lambda wanted: threads.map(self._decode, wanted)
        finally:
            threads.shutdown(cancel_futures=True)

    def batch(self, indices: Sequence[int], read: Read | None = None, pin_memory: bool = False) -> dict[str, Any]:
        """Gathers a batch.

        Args:
            indices: Of the items, at least one.
            read: What ``reading`` gave; None reads one by one what is not cached.
            pin_memory: Puts the batch where a GPU can copy it from while the host goes on.

        Returns:
            ``image``, a MetaTensor (B, C, H, W) with the files' names in ``meta["filename_or_obj"]``, and ``label``,
            int64 (B,) or (B, C), if the items have one.

        Raises:
            ValueError: An image differs from the others in shape or dtype.
        """
        missing = self.not_cached(indices)
        decoded = dict(zip(missing, read(missing) if read else map(self._decode, missing), strict=True))
        like = self._cache[0] if self.cache_num else next(iter(decoded.values()))
        for index, image in decoded.items():
            self._check_alike(index, image, like)
        images = torch.empty(len(indices), *like.shape, dtype=like.dtype, pin_memory=pin_memory)
        if decoded:
            torch.stack([decoded[i] if i in decoded else self._cache[i] for i in indices], out=images)
        else:
            torch.index_select(self._cache, 0, torch.tensor(indices), out=images)
        files = [self._file(index) for index in indices]
        picture = MetaTensor(images, meta={ImageMetaKey.FILENAME_OR_OBJ: files})
        picture.is_batch = True
        batch: dict[str, Any] = {IMAGE: picture}
        if LABEL in self.data[indices[0]]:
            labels = torch.tensor([self.data[index][LABEL] for index in indices])
            batch[LABEL] = labels.pin_memory() if pin_memory else labels
        return batch

    def _decode(self, index: int) -> torch.Tensor:
        image = self.transform(dict(self.data[index]))[IMAGE]
        return image.as_tensor() if isinstance(image, MetaTensor) else image

    def _fill(self, num_workers: int, progress: bool) -> None:
        """Reads the images to keep, (n, C, H, W); in shared memory, of which a fork copies nothing."""
        from tqdm.auto import tqdm

        first, others = self._decode(0), range(1, self.cache_num)
        self._cache = shared_empty((self.cache_num, *first.shape), first.dtype)
        self._cache[0], cache = first, array_of(self._cache)
        bar = tqdm(total=self.cache_num, initial=1, desc="reading images", disable=not progress, dynamic_ncols=True)
        with bar, self.reading(others, num_workers) as read:
            for index, image in zip(others, read(others), strict=True):
                self._check_alike(index, image, first)
                cache[index] = array_of(image)
                bar.update()

    def _check_alike(self, index: int, image: torch.Tensor, like: torch.Tensor) -> None:
        if (image.shape, image.dtype) != (like.shape, like.dtype):
            raise ValueError(
                f"{self._file(index)}: expected {tuple(like.shape)} of {like.dtype} like the other images, got "
                f"{tuple(image.shape)} of {image.dtype}: let the transforms resize every image alike"
            )

    def _file(self, index: int) -> str:
        return str(self.data[index][IMAGE])
