"""Reading in several processes at once, in order, without sending anything between them."""

import logging
import math
import mmap
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from types import TracebackType

import numpy as np
import torch

logger = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds that one entry may take before its process is given up."""
NAP = 0.001
"""Seconds between two looks at what another process has done."""


def can_read_in_processes() -> bool:
    """Returns whether this process can: it takes a fork that shares memory, as Linux has it, and no daemon may fork."""
    forks = sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()
    return forks and not multiprocessing.current_process().daemon


def shared_empty(shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Returns a tensor of zeros that processes forked from this one share with it.

    Its memory belongs to no file and no folder such as ``/dev/shm``, which containers make small.

    Args:
        shape: Of the tensor, with at least one element.
        dtype: Of the tensor.

    Returns:
        The tensor, on the CPU.

    Example:
        >>> shared_empty((2, 3), torch.uint8).sum().item()
        0
    """
    memory = mmap.mmap(-1, math.prod(shape) * dtype.itemsize)
    return torch.frombuffer(memory, dtype=dtype).view(*shape)


def array_of(tensor: torch.Tensor) -> np.ndarray:
    """Returns the memory of a tensor as an array, which is copied by the thread that asks for it, alone.

    Torch shares a copy among as many threads as there are processors, and they go on spinning for milliseconds: with an
    image every few milliseconds, for ever, at the cost of the processes that read.

    Args:
        tensor: On the CPU.

    Returns:
        An array of its shape; of int16 for bfloat16, which NumPy does not know.

    Example:
        >>> array_of(torch.ones(2))
        array([1., 1.], dtype=float32)
    """
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


class ReadingProcesses:
    """Reads entries in processes forked from this one, and gives them in order.

    Entry number n is read by process n modulo ``count``, into place n modulo ``places``, once what lay there has been
    taken. What a process cannot read, because of an error or because it was killed or stands still, is read here: an
    error then comes as if nothing had been forked. A process that waits for something that the fork has not taken
    along stands still for ever; it is given up after five minutes, and its share is read here.

    Args:
        read: Gives the image of an entry. It may not use a GPU, nor need the random state of this process.
        entries: What to read, in the order in which it is wanted.
        like: An image of the shape and dtype of all.
        count: Of processes.
        places: How many images wait at most.

    Example:
        >>> with ReadingProcesses(lambda entry: torch.full((2,), entry), [5, 7], torch.zeros(2).long(), 2, 4) as found:
        ...     print([image.tolist() for image in found] if can_read_in_processes() else [[5, 5], [7, 7]])
        [[5, 5], [7, 7]]
    """

    def __init__(
        self, read: Callable[[int], torch.Tensor], entries: Sequence[int], like: torch.Tensor, count: int, places: int
    ) -> None:
        self._read, self._entries, self._like, self._next = read, entries, like, 0
        self._images = shared_empty((places, *like.shape), like.dtype)
        self._arrays = array_of(self._images)
        # Of each place: the number, from 1, of the entry that lies there, or less than 0 where it could not be read.
        marks, taken = (shared_empty((size,), torch.int64) for size in (places, 1))
        self._marks, self._taken = marks.numpy(), taken.numpy()
        context, count = multiprocessing.get_context("fork"), min(count, len(entries))
        shares = [range(k, len(entries), count) for k in range(count)]
        self._workers: list[BaseProcess | None] = [
            context.Process(target=self._work, args=(share, os.getpid()), daemon=True) for share in shares
        ]
        with warnings.catch_warnings():
            # of threads that the fork leaves behind: what the children run waits for none of them
            warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
            for worker in filter(None, self._workers):
                worker.start()

    def __iter__(self) -> Iterator[torch.Tensor]:
        """Returns itself."""
        return self

    def __next__(self) -> torch.Tensor:
        """Returns the next image, which belongs to the caller."""
        number = self._next
        if number == len(self._entries):
            raise StopIteration
        read = self._has_read(number)
        if read:
            image = torch.empty(self._like.shape, dtype=self._like.dtype)
            array_of(image)[...] = self._arrays[number % len(self._images)]
        else:
            image = self._read(self._entries[number])
        self._next = number + 1
        self._taken[0] = self._next
        return image

    def __enter__(self) -> "ReadingProcesses":
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the processes, whatever they do."""
        for k in range(len(self._workers)):
            self._end(k)

    def _has_read(self, number: int) -> bool:
        """Waits for an entry; returns whether a process has read it."""
        place, k, began = number % len(self._marks), number % len(self._workers), time.monotonic()
        while abs(int(self._marks[place])) != number + 1:
            worker = self._workers[k]
            if worker is None:
                return False
            if not worker.is_alive():
                self._end(k)  # and the mark is looked at once more: it may have been its last
            elif time.monotonic() - began > PATIENCE:
                logger.warning("a process that reads has stood still for %.0f s: reading on without it", PATIENCE)
                self._end(k)
            else:
                time.sleep(NAP)
        return bool(self._marks[place] > 0)

    def _end(self, k: int) -> None:
        worker, self._workers[k] = self._workers[k], None
        if worker is not None and worker.pid is not None:
            worker.kill()
            worker.join()

    def _work(self, share: Sequence[int], parent: int) -> None:
        """Reads every entry of a share, each as soon as there is a place; ends with its parent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children
        torch.set_num_threads(1)
        for number in share:
            place = number % len(self._images)
            while number >= int(self._taken[0]) + len(self._images):
                if os.getppid() != parent:
                    return
                time.sleep(NAP)
            try:
                image = self._read(self._entries[number])
                alike = (image.shape, image.dtype) == (self._like.shape, self._like.dtype)
                if alike:
                    self._images[place] = image
            except Exception:  # noqa: BLE001
                alike = False  # the parent reads it, and raises what is wrong with the whole story
            self._marks[place] = number + 1 if alike else -(number + 1)
