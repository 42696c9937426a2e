"""Filling a tensor in several processes at once, without sending anything between them."""

import logging
import math
import mmap
import multiprocessing
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import torch

logger = logging.getLogger(__name__)

EMPTY, FILLED, FAILED = 0, 1, 2
PATIENCE = 300.0
"""Seconds without a single entry after which the processes are given up."""


def can_fill_in_processes() -> bool:
    """Returns whether this system can: it takes a fork that shares memory, as Linux has it."""
    return sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()


def shared_empty(shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Returns a tensor of zeros that processes forked from this one write into.

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


def fill_in_processes(
    fill: Callable[[int], None], states: torch.Tensor, count: int, show: Callable[[int], object] | None = None
) -> None:
    """Calls ``fill`` for every empty entry, each in one of several processes forked from this one.

    What cannot be filled is left to the caller. On a system that does not fork that is everything. An error ends the
    work at once, and so does a process that is killed or waits for something that the fork has not taken along. Then
    entries stay other than ``FILLED``, and filling them here tells what is wrong with them.

    Args:
        fill: Writes an entry into a tensor of ``shared_empty``. It may not use a GPU.
        states: What is known of each entry, (n,), uint8, from ``shared_empty``: ``EMPTY``, ``FILLED`` or ``FAILED``.
        count: Of processes.
        show: Is told several times a second how many entries are filled.

    Example:
        >>> squares, states = shared_empty((3,), torch.int64), shared_empty((3,), torch.uint8)
        >>> fill_in_processes(lambda i: squares[i].fill_(i * i), states, count=2)
        >>> squares.tolist() if can_fill_in_processes() else [0, 1, 4]
        [0, 1, 4]
    """
    if not can_fill_in_processes():
        return
    empty = (states == EMPTY).nonzero().flatten().tolist()
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_work, args=(fill, states, empty[k::count]), daemon=True)
        for k in range(min(count, len(empty)))
    ]
    try:
        with warnings.catch_warnings():
            # of threads that the fork leaves behind: what the children run waits for none of them
            warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
            for worker in workers:
                worker.start()
        _watch(workers, states, show)
    finally:
        for worker in workers:
            if worker.pid is not None:
                worker.kill()
                worker.join()


def _work(fill: Callable[[int], None], states: torch.Tensor, entries: Sequence[int]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children
    torch.set_num_threads(1)
    for entry in entries:
        try:
            fill(entry)
        except Exception:  # noqa: BLE001
            states[entry] = FAILED  # the parent raises it, with the whole story
            return
        states[entry] = FILLED


def _watch(workers: Sequence[BaseProcess], states: torch.Tensor, show: Callable[[int], object] | None) -> None:
    """Returns when all have ended, when an entry failed, or when nothing moves any more."""
    most, since = -1, time.monotonic()
    while alive := [worker.sentinel for worker in workers if worker.is_alive()]:
        wait(alive, timeout=0.1)
        filled = int((states == FILLED).sum())
        if show is not None:
            show(filled)
        if bool((states == FAILED).any()):
            return
        if filled > most:
            most, since = filled, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            logger.warning("processes that read have stood still for %.0f s: reading on without them", PATIENCE)
            return
