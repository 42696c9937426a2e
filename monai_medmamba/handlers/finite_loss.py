"""A stop at the first loss that is not a number."""

from __future__ import annotations

import math

import torch
from ignite.engine import Engine, Events
from monai.engines import Workflow
from monai.utils import CommonKeys

__all__ = ["FiniteLoss"]


class FiniteLoss:
    """Stops training at a loss that is NaN or infinite, before anything of its epoch is saved.

    Every loss is checked, but not each at once: reading one from a GPU makes the host wait until all work is done.

    Args:
        interval: Iterations between two looks at the losses, 1 or more. There is one more at the end of an epoch,
            before the handlers of the epoch's end run.

    Raises:
        ValueError: ``interval`` is below 1.

    Example:
        >>> FiniteLoss().check(0.7, epoch=1, iteration=3)
    """

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f"expected an interval of 1 iteration or more, got {interval}")
        self.interval = interval
        self._waiting: list[torch.Tensor] = []

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer whose output holds the loss."""
        engine.add_event_handler(Events.STARTED, self._reset)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._read)  # an epoch may be cut short

    def __call__(self, engine: Workflow) -> None:
        """Takes the loss of this step, and checks those that wait if it is time to."""
        self._waiting.append(engine.state.output[CommonKeys.LOSS].detach())
        done, length = engine.state.iteration, engine.state.epoch_length
        if done % self.interval == 0 or not length or done % length == 0:
            self._read(engine)

    def check(self, loss: float, epoch: int, iteration: int) -> None:
        """Raises if a loss is not finite.

        Args:
            loss: of the step.
            epoch: counted from 1.
            iteration: counted from 1 over the whole run.

        Raises:
            FloatingPointError: the loss is NaN or infinite.
        """
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at iteration {iteration} (epoch {epoch}): training stopped, and the checkpoints "
                f"are those of the last good epoch. Lower --learning_rate, or turn mixed precision off (--amp False)."
            )

    def _reset(self, engine: Engine) -> None:
        del engine
        self._waiting = []

    def _read(self, engine: Workflow) -> None:
        if not self._waiting:
            return
        losses = torch.stack(self._waiting).tolist()
        self._waiting = []
        for iteration, loss in enumerate(losses, start=engine.state.iteration - len(losses) + 1):
            self.check(loss, engine.state.epoch, iteration)
