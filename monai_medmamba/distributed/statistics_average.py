"""Running statistics that every process counted on its own, made one before they are used."""

from __future__ import annotations

import torch.distributed as dist
from ignite.engine import Engine, Events
from torch import nn

__all__ = ["StatisticsAverage"]


class StatisticsAverage:
    """Averages a network's running statistics over the processes before each validation.

    For batch normalisation that counts within each process: they would otherwise judge with different networks, and
    the checkpoint would hold the statistics of one of them.

    Args:
        network: whose floating-point buffers are averaged, in place.

    Example:
        >>> StatisticsAverage(nn.BatchNorm2d(3)).attach(Engine(lambda engine, batch: None))
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Averages them now; with one process there is nothing to do."""
        del engine
        if dist.is_initialized():
            for buffer in self.network.buffers():
                if buffer.is_floating_point():
                    dist.all_reduce(buffer)
                    buffer /= dist.get_world_size()
