"""Gradients that are the mean over all processes, also of passes that are replayed from CUDA graphs."""

from __future__ import annotations

import contextlib
import warnings

import torch
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

__all__ = ["join_gradients"]


def join_gradients(network: nn.Module, device: torch.device) -> DistributedDataParallel:
    """Wraps a network so that each backward pass leaves the mean gradient over all processes.

    ``DistributedDataParallel`` binds each weight's gradient to the CUDA stream that it is made on. A graph cannot be
    recorded of passes that end on the default stream, so on a GPU it is made on another one. Running statistics are
    left alone: :func:`join_batchnorm` or :class:`StatisticsAverage` joins them.

    Args:
        network: the network, or its ``GraphedTraining``.
        device: where its weights are.

    Returns:
        The wrapped network.

    Raises:
        ValueError: there is no group of processes; see :func:`enter_processes`.

    Example:
        >>> join_gradients(nn.Linear(2, 2), torch.device("cpu"))
        Traceback (most recent call last):
        ValueError: Default process group has not been initialized, please make sure to call init_process_group.
    """
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None
    if stream is not None:
        stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream) if stream is not None else contextlib.nullcontext(), warnings.catch_warnings():
        # The name that older versions of torch know.
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
        wrapped = DistributedDataParallel(
            network,
            device_ids=None if stream is None else [device],
            broadcast_buffers=False,
            gradient_as_bucket_view=True,
        )
    # A depthwise weight's gradient counts its axis of one channel in another way than the bucket: the same memory.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    # Divides each bucket once; without it, every weight's gradient by itself, which is a kernel for each.
    wrapped.register_comm_hook(None, allreduce_hook)
    if stream is not None:
        torch.cuda.current_stream(device).wait_stream(stream)
    return wrapped
