"""The files that an evaluation or an inference leaves behind."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from ignite.engine import Engine, Events

from ..files import atomic_path
from ..metrics import (
    EvidenceSettings,
    classification_metrics,
    multilabel_metrics,
    write_evidence,
    write_findings,
    write_predictions,
)
from ..visualize import write_report
from .collection import PredictionCollector
from .evidence_log import log_evidence

__all__ = ["EvaluationFiles"]

logger = logging.getLogger(__name__)
SHOWN = ("accuracy", "auc", "balanced_accuracy", "precision", "sensitivity", "specificity", "f1")


class EvaluationFiles:
    """Writes ``predictions.csv``; where the true classes are known, also ``metrics.json``, the evidence and the report.

    The evidence is what :func:`monai_medmamba.metrics.write_evidence` computes: intervals, curves, calibration,
    operating points and more, as JSON and CSV; the report is the page, its JSON, a model card and checklists.

    Args:
        output_dir: the run's folder. An evaluation writes to ``evaluation/`` in it and the report beside that.
        class_names: the name of each class, in order.
        split: what was evaluated, such as ``"test"``; None for images without known classes, whose predictions go
            to ``output_dir`` itself.
        checkpoint: the weights that were used, for the record; several of an ensemble.
        title: of the report.
        temperature: by which the logits behind the probabilities were divided, for the record.
        validation: whether the split is the one that thresholds are chosen on: its predictions go to
            ``evaluation/validation.csv``, and nothing is reported of them.
        resamples: of each bootstrap.
        ordinal: whether the order of the classes is one of degree.
        table: CSV or TSV file with columns to part the images by, such as site or sex; None takes the one that lies
            in the data's folder.
        columns: which of its columns; None takes those with from 2 to 12 different values.
        log_dir: TensorBoard's folder for figures and their intervals; None writes none.
        several_labels: whether an image may have several labels: the table then has a probability and a truth for
            each, and the figures are those of :func:`monai_medmamba.metrics.multilabel_metrics`.

    Raises:
        ValueError: when the evaluation ends: the data have several labels and the weights one, or the other way round.

    Example:
        >>> EvaluationFiles("output", ["a", "b"], split="test", checkpoint="model.pt").folder.as_posix()
        'output/evaluation'
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        class_names: list[str],
        split: str | None = None,
        checkpoint: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = "",
        title: str = "MedMamba",
        temperature: float = 1.0,
        validation: bool = False,
        resamples: int = 1000,
        ordinal: bool = False,
        table: str | None = None,
        columns: Sequence[str] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        several_labels: bool = False,
    ) -> None:
        self.several_labels = several_labels
        self.output_dir = Path(output_dir)
        self.folder = self.output_dir / "evaluation" if split else self.output_dir
        self.class_names, self.split, self.title = list(class_names), split, title
        files = [checkpoint] if isinstance(checkpoint, str | os.PathLike) else checkpoint
        alone = len(files) == 1
        self.checkpoint = ", ".join(Path(f).name if alone else "/".join(Path(f).parts[-2:]) for f in files)
        self.temperature, self.validation, self.log_dir = temperature, validation, log_dir
        self.settings = EvidenceSettings(resamples, ordinal=ordinal, table=table or None, columns=columns or None)
        self._collector = PredictionCollector()

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        self._collector.attach(engine)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _write(self, engine: Engine) -> None:
        del engine
        found = self._collector
        table = self.folder / ("validation.csv" if self.validation else "predictions.csv")
        labels = found.labels if self.split else None
        if labels and isinstance(labels[0], list) != self.several_labels:
            have, want = ("one label", "several") if self.several_labels else ("several labels", "one")
            raise ValueError(
                f"the images of the {self.split} split have {have}, and the weights are for {want}; name the weights "
                "that were trained on these data with --ckpt_dir"
            )
        write = write_findings if self.several_labels else write_predictions
        write(table, found.images, labels, found.probabilities, self.class_names)
        logger.info("%d predictions: %s", len(found.images), table)
        if self.split is None or self.validation:
            return
        figures = (multilabel_metrics if self.several_labels else classification_metrics)(
            found.probabilities, found.labels, self.class_names
        )
        record = {
            "split": self.split,
            "images": len(found.images),
            "checkpoint": self.checkpoint,
            "temperature": self.temperature,
            **({"several_labels": True} if self.several_labels else {}),
            **figures,
        }
        with atomic_path(self.folder / "metrics.json") as temporary:
            temporary.write_text(json.dumps(record, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
        evidence = write_evidence(self.output_dir, self.settings)
        shown = {name: evidence["figures"][name] for name in SHOWN if figures.get(name) is not None}
        logger.info("%s: %s", self.split, ", ".join(_with_interval(*item) for item in shown.items()))
        logger.info("report: %s", write_report(self.output_dir, title=self.title))
        if self.log_dir is not None:
            log_evidence(self.log_dir, evidence)


def _with_interval(name: str, row: dict[str, float | None]) -> str:
    edges = "" if row["low"] is None else f" ({row['low']:.4f} to {row['high']:.4f})"
    return f"{name} {row['value']:.4f}{edges}"
