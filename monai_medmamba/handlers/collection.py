"""The predictions of one pass of an evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.engines import Workflow
from monai.utils import CommonKeys, ImageMetaKey

__all__ = ["PredictionCollector"]


class PredictionCollector:
    """Gathers the image's file, true class if known, and probabilities of every item that an evaluator sees.

    Example:
        >>> PredictionCollector().images
        []
    """

    def __init__(self) -> None:
        self._reset()

    def attach(self, engine: Engine) -> None:
        """Registers with a decollating evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._reset)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities, (n, C), float32."""
        return torch.stack(self._probabilities).numpy()

    def _reset(self, engine: Engine | None = None) -> None:
        del engine
        self.images: list[str] = []
        self.labels: list[int] = []
        self._probabilities: list[torch.Tensor] = []

    def _step(self, engine: Workflow) -> None:
        for batch, output in zip(engine.state.batch, engine.state.output, strict=True):
            self.images.append(_file_of(batch))
            self._probabilities.append(torch.as_tensor(output[CommonKeys.PRED]).detach().float().cpu())
            if output.get(CommonKeys.LABEL) is not None:
                self.labels.append(int(output[CommonKeys.LABEL]))


def _file_of(item: dict[str, Any]) -> str:
    return str(item[CommonKeys.IMAGE].meta[ImageMetaKey.FILENAME_OR_OBJ])
