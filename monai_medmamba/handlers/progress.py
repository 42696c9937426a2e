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

    Example:
        >>> engine = Engine(lambda engine, batch: None)
        >>> Progress("train", disable=True).attach(engine)
        >>> engine.run([1, 2], max_epochs=3).iteration
        6
    """

    def __init__(self, description: str, validator: Workflow | None = None, disable: bool = False) -> None:
        self.description, self.validator, self.disable = description, validator, disable
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
        if self.validator is not None:
            shown = {"loss": f"{engine.state.output[CommonKeys.LOSS].item():.3f}"}
            name = self.validator.state.key_metric_name
            if name in self.validator.state.metrics:
                shown[name] = f"{self.validator.state.metrics[name]:.3f}"
            self._bar.set_postfix(shown, refresh=False)

    def _close(self, engine: Engine) -> None:
        del engine
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _fail(self, engine: Engine, error: Exception) -> None:
        self._close(engine)
        raise error
