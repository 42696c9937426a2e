"""The predictions of one pass of an evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.engines import Workflow
from monai.utils import CommonKeys, ImageMetaKey

__all__ = ["PredictionCollector", "predictions_of"]


def predictions_of(output: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Returns what an evaluator said of one batch, decollated or not.

    Args:
        output: A dictionary with ``pred`` (B, C) and perhaps ``label``, (B,) or, of several labels an image, (B, C);
            or a list with one of each image.

    Returns:
        Probabilities (B, C), float32, and labels, None where they are unknown; both where they lie.

    Example:
        >>> predictions_of([{"pred": torch.tensor([0.9, 0.1]), "label": 0}])[1].tolist()
        [0]
    """
    if isinstance(output, Mapping):
        found, labels = output[CommonKeys.PRED], output.get(CommonKeys.LABEL)
    else:
        found = torch.stack([torch.as_tensor(item[CommonKeys.PRED]) for item in output])
        each = [item.get(CommonKeys.LABEL) for item in output]
        labels = None if each[0] is None else torch.stack([torch.as_tensor(label) for label in each])
    return _plain(found).detach().float(), None if labels is None else _plain(labels)


class PredictionCollector:
    """Gathers the image's file, true class if known, and probabilities of every item that an evaluator sees.

    What a GPU computed stays there until it is asked for, so that the host need not wait at each batch.

    Example:
        >>> PredictionCollector().images
        []
    """

    def __init__(self) -> None:
        self._reset()

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._reset)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities, (n, C), float32."""
        return torch.cat(self._probabilities).cpu().numpy()

    @property
    def labels(self) -> list[Any]:
        """True classes, or a 0 or 1 for each label, of each image; empty where they are unknown."""
        return torch.cat(self._labels).tolist() if self._labels else []

    def _reset(self, engine: Engine | None = None) -> None:
        del engine
        self.images: list[str] = []
        self._labels: list[torch.Tensor] = []
        self._probabilities: list[torch.Tensor] = []

    def _step(self, engine: Workflow) -> None:
        probabilities, labels = predictions_of(engine.state.output)
        self.images += _files_of(engine.state.batch)
        self._probabilities.append(probabilities)
        if labels is not None:
            self._labels.append(labels)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_tensor() if isinstance(tensor, MetaTensor) else tensor


def _files_of(batch: Any) -> list[str]:
    if isinstance(batch, Mapping):
        return [str(file) for file in batch[CommonKeys.IMAGE].meta[ImageMetaKey.FILENAME_OR_OBJ]]
    return [str(item[CommonKeys.IMAGE].meta[ImageMetaKey.FILENAME_OR_OBJ]) for item in batch]
