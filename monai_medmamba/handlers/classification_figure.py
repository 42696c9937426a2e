"""One figure of merit as an Ignite metric."""

from __future__ import annotations

import torch
from ignite.metrics import Metric
from monai.utils import CommonKeys

from ..metrics import classification_metrics, multilabel_metrics
from .collection import predictions_of

__all__ = ["LOSS", "ClassificationFigure"]

LOSS = "loss"


class ClassificationFigure(Metric):
    """Computes one of the figures of :func:`monai_medmamba.metrics.classification_metrics` over an epoch.

    Validation, evaluation and report share that function, so their figures agree. Attach it to an evaluator whose
    output, decollated or not, holds probabilities under ``pred`` and class numbers under ``label``. Where an image may
    have several labels, ``label`` holds a 0 or 1 for each class, and the figure is that of
    :func:`monai_medmamba.metrics.multilabel_metrics`. In a distributed run every rank is expected to see all images.

    Args:
        figure: a key of that function, such as ``"auc"``, or ``"loss"`` for the mean negative log-likelihood of the
            true class, or of each label's truth.
        class_names: the name of each class, in order.

    Returns:
        A float; NaN where the figure is undefined, as AUC is when a class has no image.

    Example:
        >>> metric = ClassificationFigure("accuracy", ["a", "b"])
        >>> metric.update([{"pred": torch.tensor([0.9, 0.1]), "label": label} for label in (0, 1)])
        >>> metric.compute()
        0.5
    """

    required_output_keys = (CommonKeys.PRED, CommonKeys.LABEL)  # of a whole batch; a decollated one comes as a list

    def __init__(self, figure: str, class_names: list[str]) -> None:
        self.figure, self.class_names = figure, list(class_names)
        super().__init__()

    def reset(self) -> None:
        """Forgets the last epoch."""
        self._probabilities: list[torch.Tensor] = []
        self._labels: list[torch.Tensor] = []

    def update(self, output: tuple[torch.Tensor, torch.Tensor] | list[dict[str, torch.Tensor]]) -> None:
        """Takes one batch: probabilities and labels, or decollated items.

        Raises:
            ValueError: the labels are missing.
        """
        batch = dict(zip(self.required_output_keys, output, strict=True)) if isinstance(output, tuple) else output
        probabilities, labels = predictions_of(batch)
        if labels is None:
            raise ValueError(f"expected a label with each image to compute {self.figure}, got none: name the classes")
        self._probabilities.append(probabilities)  # where they lie: the host need not wait for a GPU at each batch
        self._labels.append(labels)

    def compute(self) -> float:
        """Returns the figure over every item since the last reset.

        Raises:
            KeyError: the figure is not one of that function.
        """
        probabilities, labels = torch.cat(self._probabilities).cpu(), torch.cat(self._labels).cpu()
        if labels.ndim > 1:
            key = "log_loss" if self.figure == LOSS else self.figure
            value = multilabel_metrics(probabilities.numpy(), labels.numpy(), self.class_names)[key]
            return float("nan") if value is None else float(value)
        if self.figure == LOSS:
            of_truth = probabilities[torch.arange(len(labels)), labels]
            return float(-of_truth.clamp_min(torch.finfo(torch.float32).tiny).log().mean())
        value = classification_metrics(probabilities.numpy(), labels.tolist(), self.class_names)[self.figure]
        return float("nan") if value is None else float(value)
