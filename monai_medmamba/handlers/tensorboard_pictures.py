"""Pictures in TensorBoard beside the scalars."""

from __future__ import annotations

import os

from ignite.engine import Engine, Events

from ..metrics import classification_metrics
from ..visualize import confusion_matrix_figure
from .collection import PredictionCollector

__all__ = ["TensorBoardPictures"]


class TensorBoardPictures:
    """Draws the confusion matrix of validations into a TensorBoard log.

    Args:
        log_dir: folder of the log.
        class_names: the name of each class, in order.
        every: epochs from one picture to the next, at least 1: drawing takes longer than a small epoch.

    Example:
        >>> TensorBoardPictures("output/tensorboard", ["a", "b"]).class_names
        ['a', 'b']
    """

    def __init__(self, log_dir: str | os.PathLike[str], class_names: list[str], every: int = 1) -> None:
        self.log_dir, self.class_names, self.every = os.fspath(log_dir), list(class_names), every
        self._drawn = 0
        self._collector = PredictionCollector()

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        self._collector.attach(engine)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._draw)

    def _draw(self, engine: Engine) -> None:
        if self._drawn < engine.state.epoch < self._drawn + self.every:
            return
        from torch.utils.tensorboard import SummaryWriter

        self._drawn = engine.state.epoch
        figures = classification_metrics(self._collector.probabilities, self._collector.labels, self.class_names)
        picture = confusion_matrix_figure(figures["confusion_matrix"], self.class_names)
        with SummaryWriter(self.log_dir) as writer:
            writer.add_figure("confusion_matrix", picture, global_step=engine.state.epoch)
