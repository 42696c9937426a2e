"""The files that an evaluation or an inference leaves behind."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from ignite.engine import Engine, Events

from ..files import atomic_path
from ..metrics import classification_metrics, write_predictions
from ..visualize import write_report
from .collection import PredictionCollector

__all__ = ["EvaluationFiles"]

logger = logging.getLogger(__name__)


class EvaluationFiles:
    """Writes ``predictions.csv``; where the true classes are known, also ``metrics.json`` and the report page.

    Args:
        output_dir: the run's folder. An evaluation writes to ``evaluation/`` in it and ``report.html`` beside that.
        class_names: the name of each class, in order.
        split: what was evaluated, such as ``"test"``; None for images without known classes, whose predictions go
            to ``output_dir`` itself.
        checkpoint: the weights that were used, for the record.
        title: of the report.

    Example:
        >>> EvaluationFiles("output", ["a", "b"], split="test", checkpoint="model.pt").folder.as_posix()
        'output/evaluation'
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        class_names: list[str],
        split: str | None = None,
        checkpoint: str | os.PathLike[str] = "",
        title: str = "MedMamba",
    ) -> None:
        self.output_dir = Path(output_dir)
        self.folder = self.output_dir / "evaluation" if split else self.output_dir
        self.class_names, self.split, self.checkpoint, self.title = list(class_names), split, checkpoint, title
        self._collector = PredictionCollector()

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        self._collector.attach(engine)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _write(self, engine: Engine) -> None:
        del engine
        found = self._collector
        table = self.folder / "predictions.csv"
        labels = found.labels if self.split else None
        write_predictions(table, found.images, labels, found.probabilities, self.class_names)
        logger.info("%d predictions: %s", len(found.images), table)
        if self.split is None:
            return
        figures = classification_metrics(found.probabilities, found.labels, self.class_names)
        record = {"split": self.split, "images": len(found.images), "checkpoint": Path(self.checkpoint).name, **figures}
        with atomic_path(self.folder / "metrics.json") as temporary:
            temporary.write_text(json.dumps(record, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
        shown = ("accuracy", "auc", "balanced_accuracy", "precision", "sensitivity", "specificity", "f1")
        logger.info(
            "%s: %s", self.split, ", ".join(f"{key} {figures[key]:.4f}" for key in shown if figures[key] is not None)
        )
        logger.info("report: %s", write_report(self.output_dir, title=self.title))
