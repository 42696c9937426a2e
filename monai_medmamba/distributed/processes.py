"""The processes that torchrun started: which one this is, its device, and how the group begins and ends."""

from __future__ import annotations

import logging
import os

import torch
import torch.distributed as dist
from torch import nn

from ..networks import GraphedTraining

__all__ = ["enter_processes", "leave_processes", "process_count", "process_device", "process_rank"]

_MISSING = "expected the variables of torchrun, got no {}: start with `torchrun --standalone --nproc_per_node=N -m ...`"


def process_rank() -> int:
    """Returns this process's number among all, on every node; 0 without torchrun.

    Returns:
        From 0 to the number of processes less 1.

    Example:
        >>> process_rank()
        0
    """
    return int(os.environ.get("RANK", "0"))


def process_count(on_this_node: bool = False) -> int:
    """Returns the number of processes; 1 without torchrun.

    Args:
        on_this_node: counts those of this machine alone.

    Returns:
        1 or more.

    Example:
        >>> process_count()
        1
    """
    return int(os.environ.get("LOCAL_WORLD_SIZE" if on_this_node else "WORLD_SIZE", "1"))


def process_device() -> torch.device:
    """Returns the GPU of this process, or the CPU where torch has no GPU.

    Returns:
        One GPU for each process of a node.

    Raises:
        ValueError: the node has fewer GPUs than processes.

    Example:
        >>> process_device().type in ("cpu", "cuda")
        True
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    number, found = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= found:
        raise ValueError(
            f"expected a GPU for each of {process_count(True)} processes of this node, got {found}: "
            f"lower --nproc_per_node to {found}"
        )
    return torch.device("cuda", number)


def enter_processes(device: torch.device) -> None:
    """Joins the group: over NCCL for a GPU, over gloo for the CPU. Only the first process goes on to log at INFO.

    Args:
        device: of this process, as :func:`process_device` gives it.

    Raises:
        RuntimeError: the process was not started by torchrun.

    Example:
        >>> enter_processes(torch.device("cpu"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        RuntimeError: expected the variables of torchrun, got no RANK...
    """
    missing = [name for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise RuntimeError(_MISSING.format(", ".join(missing)))
    if device.type == "cuda":
        torch.cuda.set_device(device)
        dist.init_process_group("nccl", device_id=device)
    else:
        dist.init_process_group("gloo")
    if dist.get_rank() != 0:
        logging.disable(logging.INFO)


def leave_processes(network: nn.Module | None = None) -> None:
    """Waits for the others, so that none finds its peer gone, and leaves the group.

    Args:
        network: what was trained, wrapped or not. CUDA graphs recorded of it hold the group's connections, and NCCL
            would wait for their end forever: they are released first.

    Example:
        >>> leave_processes()  # in no group: nothing to leave
    """
    if dist.is_initialized():
        dist.barrier()
        for module in network.modules() if network is not None else ():
            if isinstance(module, GraphedTraining):
                module.release()
        dist.destroy_process_group()
    logging.disable(logging.NOTSET)
