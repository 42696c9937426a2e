"""Images of one size that were decoded once and wait in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from monai.data import MetaTensor
from monai.utils import CommonKeys, ImageMetaKey
from torch.utils.data import Dataset

from monai_medmamba.data.fill_in_processes import FILLED, fill_in_processes, shared_empty

IMAGE, LABEL = CommonKeys.IMAGE, CommonKeys.LABEL


KEPT_BYTES = 32 * 2**20 - 2**16
"""Just below the largest freed block after which glibc's malloc keeps blocks of up to that size for the next one."""
THREADS = 4
"""That decode at most: MONAI's transforms hold the interpreter for half their time, and more only wait for it."""
WORTH = 64
"""Images from which processes are worth their start."""


def keep_freed_memory() -> None:
    """Lets malloc keep the memory of one image for the next, in this process and in those that are forked from it.

    An image passes through some ten arrays of about a megabyte. Out of the box glibc's malloc returns each to the
    system and fetches the next one from there, page by page, and threads wait for each other in doing so. It keeps
    them once a large block has been freed, so one is; other allocators do not mind.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)


def decoding_threads(count: int) -> ThreadPoolExecutor:
    """Returns threads in which torch does not spread an operation over further threads, so that they do not fight."""
    torch.get_num_threads()  # settles the caller's own number, which would be taken from the last thread's otherwise
    keep_freed_memory()
    return ThreadPoolExecutor(
        min(count, THREADS), thread_name_prefix="decode", initializer=torch.set_num_threads, initargs=(1,)
    )


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
        self._cache = self._decode_first(num_workers, progress) if self.cache_num else torch.empty(0)

    def __len__(self) -> int:
        """Returns the number of images, cached or not."""
        return len(self.data)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Returns one item, its ``image`` with the name of its file."""
        image = self._cache[index].clone() if index < self.cache_num else self._decode(index)
        return {**self.data[index], IMAGE: MetaTensor(image, meta={ImageMetaKey.FILENAME_OR_OBJ: self._file(index)})}

    def batch(
        self,
        indices: Sequence[int],
        each: Callable[[Callable[[int], torch.Tensor], list[int]], Iterable[torch.Tensor]] = map,
        pin_memory: bool = False,
    ) -> dict[str, Any]:
        """Gathers a batch.

        Args:
            indices: Of the items, at least one.
            each: Decodes the images that are not cached; ``map``, or that of a pool of threads.
            pin_memory: Puts the batch where a GPU can copy it from while the host goes on.

        Returns:
            ``image``, a MetaTensor (B, C, H, W) with the files' names in ``meta["filename_or_obj"]``, and ``label``,
            int64 (B,) or (B, C), if the items have one.

        Raises:
            ValueError: An image differs from the others in shape or dtype.
        """
        missing = sorted({index for index in indices if index >= self.cache_num})
        decoded = dict(zip(missing, each(self._decode, missing), strict=True))
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

    def _decode_first(self, num_workers: int, progress: bool) -> torch.Tensor:
        """Returns the images to keep, (n, C, H, W)."""
        from tqdm.auto import tqdm

        keep_freed_memory()
        first, total = self._decode(0), self.cache_num
        cache, states = shared_empty((total, *first.shape), first.dtype), shared_empty((total,), torch.uint8)

        def put(index: int, image: torch.Tensor) -> None:
            self._check_alike(index, image, first)
            cache[index] = image
            states[index] = FILLED

        put(0, first)
        with tqdm(total=total, desc="reading images", disable=not progress, dynamic_ncols=True) as bar:
            if num_workers > 1 and total >= WORTH:
                fill_in_processes(
                    lambda index: put(index, self._decode(index)),
                    states,
                    num_workers,
                    show=lambda filled: bar.update(filled - bar.n),
                )
            left = (states != FILLED).nonzero().flatten().tolist()
            with decoding_threads(num_workers) as pool:
                for index, image in zip(left, pool.map(self._decode, left), strict=True):
                    put(index, image)
                    bar.update()
            bar.update(total - bar.n)
        return cache

    def _check_alike(self, index: int, image: torch.Tensor, like: torch.Tensor) -> None:
        if (image.shape, image.dtype) != (like.shape, like.dtype):
            raise ValueError(
                f"{self._file(index)}: expected {tuple(like.shape)} of {like.dtype} like the other images, got "
                f"{tuple(image.shape)} of {image.dtype}: let the transforms resize every image alike"
            )

    def _file(self, index: int) -> str:
        return str(self.data[index][IMAGE])
