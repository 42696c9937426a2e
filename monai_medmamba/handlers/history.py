"""The run's figures, one row an epoch."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines import Workflow
from monai.utils import CommonKeys
from torch.optim import Optimizer

from ..files import atomic_path

__all__ = ["TrainingHistory"]


class TrainingHistory:
    """Writes ``history.csv``: epoch, mean training loss, learning rate, seconds, and the validator's metrics.

    Attach it after the handler that runs validation. The file is rewritten whole at each epoch; a resumed run keeps
    the rows up to the epoch it resumes from.

    Args:
        output_dir: folder of the file.
        optimizer: whose first group's learning rate is written.
        validator: whose metrics are written.

    Example:
        >>> TrainingHistory("output", optimizer=None, validator=None).path.name
        'history.csv'
    """

    def __init__(self, output_dir: str | os.PathLike[str], optimizer: Optimizer, validator: Workflow) -> None:
        self.path = Path(output_dir) / "history.csv"
        self.optimizer, self.validator = optimizer, validator
        self._rows: list[dict[str, Any]] = []
        self._loss: torch.Tensor | None = None
        self._count, self._since = 0, 0.0

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def _start(self, engine: Engine) -> None:
        if not self._rows and engine.state.epoch > 1 and self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as stream:
                self._rows = [row for row in csv.DictReader(stream) if int(row["epoch"]) < engine.state.epoch]
        self._loss, self._count, self._since = None, 0, time.perf_counter()

    def _step(self, engine: Workflow) -> None:
        loss = engine.state.output[CommonKeys.LOSS].detach().double()
        self._loss = loss if self._loss is None else self._loss + loss  # stays on the device: reading it would wait
        self._count += 1

    def _write(self, engine: Engine) -> None:
        row = {
            "epoch": engine.state.epoch,
            "train_loss": float("nan") if self._loss is None else self._loss.item() / self._count,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "seconds": round(time.perf_counter() - self._since, 3),
            **self.validator.state.metrics,
        }
        self._rows.append(row)
        with atomic_path(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(row))
            writer.writeheader()
            writer.writerows(self._rows)
