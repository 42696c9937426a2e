"""A progress bar over the whole run, with the time that is left."""

from __future__ import annotations

from typing import Any

from ignite.engine import Engine, Events
from monai.engines import Workflow
from monai.utils import CommonKeys

__all__ = ["Progress"]


class Progress:
    """Shows one bar: iterations of all epochs for a trainer, batches for an evaluator.

    Args:
        description: what stands before the bar.
        validator: the evaluator whose key metric is shown beside the loss, if any.
        disable: shows nothing; True on every rank but the first of a distributed run.
        interval: iterations between two looks at the loss, 1 or more. Each look makes the host wait for the GPU.

    Raises:
        ValueError: ``interval`` is below 1.

    Example:
        >>> engine = Engine(lambda engine, batch: None)
        >>> Progress("train", disable=True).attach(engine)
        >>> engine.run([1, 2], max_epochs=3).iteration
        6
    """

    def __init__(
        self, description: str, validator: Workflow | None = None, disable: bool = False, interval: int = 1
    ) -> None:
        if interval < 1:
            raise ValueError(f"expected an interval of 1 iteration or more, got {interval}")
        self.description, self.validator, self.disable, self.interval = description, validator, disable, interval
        self._bar: Any = None

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer or evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _start(self, engine: Workflow) -> None:
        from tqdm.auto import tqdm

        if self._bar is None:
            epochs = engine.state.max_epochs if self.validator is not None else 1
            total = epochs * engine.state.epoch_length
            done = engine.state.iteration
            self._bar = tqdm(
                total=total, initial=done, desc=self.description, disable=self.disable, unit="batch", dynamic_ncols=True
            )
        if self.validator is not None:
            self._bar.set_description(f"{self.description} epoch {engine.state.epoch}/{engine.state.max_epochs}")

    def _step(self, engine: Workflow) -> None:
        if self._bar is None:
            return
        self._bar.update()
        if self.validator is not None and not self.disable and self._is_time(engine):
            shown = {"loss": f"{engine.state.output[CommonKeys.LOSS].item():.3f}"}
            name = self.validator.state.key_metric_name
            if name in self.validator.state.metrics:
                shown[name] = f"{self.validator.state.metrics[name]:.3f}"
            self._bar.set_postfix(shown, refresh=False)

    def _is_time(self, engine: Workflow) -> bool:
        done, length = engine.state.iteration, engine.state.epoch_length
        return done % self.interval == 0 or bool(length and done % length == 0)

    def _close(self, engine: Engine) -> None:
        del engine
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _fail(self, engine: Engine, error: Exception) -> None:
        self._close(engine)
        raise error
