"""A training step without the host's share: forward and backward pass as CUDA graphs."""

from __future__ import annotations

import atexit
import gc
import weakref
from collections.abc import Callable, Iterable
from typing import cast

import torch
from monai.data import MetaTensor
from torch import Tensor, nn

__all__ = ["GraphedTraining"]


class GraphedTraining(nn.Module):
    """Runs a network, and in training on a GPU replays its passes from CUDA graphs instead of launching each kernel.

    The first batch in training is recorded: its shape, its dtype and autocast. Batches like it are replayed; any other
    batch, evaluation, and the CPU take the network itself. Weights stay the network's own: an optimiser, a checkpoint
    or an evaluator keeps using the network.

    With several processes, put it inside ``monai_medmamba.distributed.join_gradients`` and not around it: the graphs
    then hold the network's own passes, with what ``SyncBatchNorm`` sends, and gradients are joined after them, which
    costs little beside a step. Recording goes around the hooks that join gradients. Every process has to record at the
    same step. Graphs that hold what the processes send each other must be given back with ``release`` before the group
    is left, which waits for them from NCCL 2.26 on (docs.nvidia.com/dl-cuda-graph, "Process Hang").

    Args:
        network: what is trained. Its shapes may not depend on the values of its input.

    Example:
        >>> network = nn.Linear(3, 2)
        >>> GraphedTraining(network)(torch.zeros(4, 3)).shape  # on a CPU: the network itself
        torch.Size([4, 2])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._recorded: tuple[object, Callable[[Tensor], Tensor]] | None = None
        self._graphs: list[torch.cuda.CUDAGraph] = []

    def forward(self, x: Tensor) -> Tensor:
        """Returns what the network makes of a batch.

        Args:
            x: the batch, any shape that the network takes.

        Returns:
            The network's result. In training it is overwritten by the next call.
        """
        x = x.as_tensor() if isinstance(x, MetaTensor) else x
        if not (x.is_cuda and self.training and torch.is_grad_enabled()):
            return self.network(x)
        autocast = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else None
        kind = (x.shape, x.dtype, x.device, autocast)
        if self._recorded is None:
            self._recorded = kind, self._record(x, autocast)
        recorded, replay = self._recorded
        return replay(x) if kind == recorded else self.network(x)

    def release(self) -> None:
        """Gives the graphs back, with their memory; results of earlier steps lose their gradients.

        The next batch in training is recorded again.

        Example:
            >>> GraphedTraining(nn.Linear(3, 2)).release()  # nothing was recorded
        """
        self._recorded = None
        _reset(self._graphs)
        self._graphs.clear()

    def _record(self, x: Tensor, autocast: torch.dtype | None) -> Callable[[Tensor], Tensor]:
        """Returns the network's passes from graphs; running statistics and random numbers stay as they were."""
        buffers = [(buffer, buffer.clone()) for buffer in self.network.buffers()]
        random_state = torch.cuda.get_rng_state(x.device)
        wrapped = _Wrapped(self.network).train()
        others = _living_graphs()
        # Recording goes through a stream of its own, which torch, from 2.11 on, says at the first step.
        if hasattr(torch.autograd.graph, "set_warn_on_accumulate_grad_stream_mismatch"):
            torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
        with torch.autocast("cuda", dtype=autocast, enabled=autocast is not None, cache_enabled=False):
            replay = torch.cuda.make_graphed_callables(wrapped, (x.detach().clone(),))
        # torch hands out no graphs, and autograd keeps them for as long as any result lives.
        self._graphs += [graph for graph in _living_graphs() if graph not in others]
        _RECORDED.update(self._graphs)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        torch.cuda.set_rng_state(random_state, x.device)
        return cast(Callable[[Tensor], Tensor], replay)


# Of every network, for as long as anything holds them: its results do, too, once the network itself is gone.
_RECORDED: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()


def _reset(graphs: Iterable[torch.cuda.CUDAGraph]) -> None:
    """Destroys graphs."""
    if graphs := list(graphs):
        torch.cuda.synchronize()
    for graph in graphs:
        graph.reset()


# Where a training breaks off nobody calls release, and NCCL would wait for graphs that are still there.
atexit.register(_reset, _RECORDED)


def _living_graphs() -> list[torch.cuda.CUDAGraph]:
    return [thing for thing in gc.get_objects() if type(thing) is torch.cuda.CUDAGraph]


class _Wrapped(nn.Module):
    """Takes the change that recording makes to a module, so that the network itself has none."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)
