"""One figure of merit as an Ignite metric."""

from __future__ import annotations

import torch
from ignite.metrics import Metric
from monai.utils import CommonKeys

from ..metrics import classification_metrics

__all__ = ["LOSS", "ClassificationFigure"]

LOSS = "loss"


class ClassificationFigure(Metric):
    """Computes one of the figures of :func:`monai_medmamba.metrics.classification_metrics` over an epoch.

    Validation, evaluation and report share that function, so their figures agree. Attach it to an evaluator whose
    decollated output holds probabilities under ``pred`` and class numbers under ``label``. In a distributed run every
    rank is expected to see all images.

    Args:
        figure: a key of ``classification_metrics``, such as ``"auc"``, or ``"loss"`` for the mean negative
            log-likelihood of the true class.
        class_names: the name of each class, in order.

    Returns:
        A float; NaN where the figure is undefined, as AUC is when a class has no image.

    Example:
        >>> metric = ClassificationFigure("accuracy", ["a", "b"])
        >>> metric.update([{"pred": torch.tensor([0.9, 0.1]), "label": label} for label in (0, 1)])
        >>> metric.compute()
        0.5
    """

    required_output_keys = None  # the whole output of a decollating engine, a list of dicts

    def __init__(self, figure: str, class_names: list[str]) -> None:
        self.figure, self.class_names = figure, list(class_names)
        super().__init__()

    def reset(self) -> None:
        """Forgets the last epoch."""
        self._probabilities: list[torch.Tensor] = []
        self._labels: list[int] = []

    def update(self, output: list[dict[str, torch.Tensor]]) -> None:
        """Takes the decollated items of one batch."""
        for item in output:
            self._probabilities.append(torch.as_tensor(item[CommonKeys.PRED]).detach().float().cpu())
            self._labels.append(int(item[CommonKeys.LABEL]))

    def compute(self) -> float:
        """Returns the figure over every item since the last reset.

        Raises:
            KeyError: the figure is not one of ``classification_metrics``.
        """
        probabilities = torch.stack(self._probabilities)
        if self.figure == LOSS:
            of_truth = probabilities[torch.arange(len(self._labels)), torch.tensor(self._labels)]
            return float(-of_truth.clamp_min(torch.finfo(torch.float32).tiny).log().mean())
        figures = classification_metrics(probabilities.numpy(), self._labels, self.class_names)
        value = figures[self.figure]
        return float("nan") if value is None else float(value)
