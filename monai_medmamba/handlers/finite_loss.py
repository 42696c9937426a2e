"""A stop at the first loss that is not a number."""

from __future__ import annotations

import math

from ignite.engine import Engine, Events
from monai.engines import Workflow
from monai.utils import CommonKeys

__all__ = ["FiniteLoss"]


class FiniteLoss:
    """Stops training in the step whose loss is NaN or infinite, before anything of it is saved.

    Example:
        >>> FiniteLoss().check(0.7, epoch=1, iteration=3)
    """

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer whose output holds the loss."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Checks the loss of this step."""
        self.check(engine.state.output[CommonKeys.LOSS].item(), engine.state.epoch, engine.state.iteration)

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
