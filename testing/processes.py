"""Several processes that run a function of a test, joined over gloo."""

import logging
import os
import tempfile
from collections.abc import Callable
from multiprocessing import set_forkserver_preload
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing


def in_processes(count: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call ``function(rank, *arguments)`` in each of some processes and return what each one returned.

    The function must stand at the top of its module. An error in a process is raised here.
    """
    with tempfile.TemporaryDirectory() as folder:
        set_forkserver_preload(["monai_medmamba.bundle"])  # imported once, and not in every process
        work = (count, folder, function, arguments)
        multiprocessing.start_processes(_run, work, nprocs=count, start_method="forkserver")
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=False) for rank in range(count)]


def _run(rank: int, count: int, folder: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    logging.disable(logging.NOTSET)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank)}
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    result = function(rank, *arguments)
    torch.save(result, Path(folder) / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()
