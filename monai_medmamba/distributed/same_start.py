"""A check that all processes begin a training at the same point."""

from __future__ import annotations

import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from torch import nn

__all__ = ["SameStart"]


class SameStart:
    """Refuses to train where processes differ in epoch, iteration or weights once a checkpoint is restored.

    Attach it after the handler that restores. A node that does not see the first one's ``last.pt`` would begin at
    epoch 1 while the others go on, and no error would ever show it.

    Args:
        network: whose weights are compared.

    Example:
        >>> SameStart(nn.Linear(2, 2)).attach(Engine(lambda engine, batch: None))
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Compares.

        Raises:
            RuntimeError: they differ; in every process, with what each one has.
        """
        if not dist.is_initialized():
            return
        with torch.no_grad():
            weights = sum(float(parameter.double().sum()) for parameter in self.network.parameters())
        own = (engine.state.epoch, engine.state.iteration, weights)
        found: list[tuple[int, int, float] | None] = [None] * dist.get_world_size()
        dist.all_gather_object(found, own)
        if len(set(found)) > 1:
            lines = [f"process {rank}: epoch {item[0]}, iteration {item[1]}" for rank, item in enumerate(found) if item]
            raise RuntimeError(
                f"expected all processes to start alike, got different epochs or weights ({'; '.join(lines)}): "
                "put --ckpt_dir on a file system that all nodes share, so that each reads the same last.pt"
            )
