"""How far a model agrees with the readers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics import classification_metrics, multilabel_metrics
from .image_store import ImageStore
from .served_model import ServedModel

__all__ = ["judge"]

_FIGURES = ("accuracy", "balanced_accuracy", "auc", "log_loss", "ece")


def judge(
    model: ServedModel, labels: Mapping[str, Sequence[str]], held: Collection[str], store: ImageStore
) -> dict[str, Any]:
    """Returns the figures of a model on labelled images.

    Args:
        model: With weights.
        labels: Classes by image.
        held: The images that training keeps out: only what is said of them tells of new images.
        store: Of the images.

    Returns:
        ``all`` and ``validation``, each with ``images`` and the figures; None where a figure has no value.
    """
    paths = {image: store.get_image_uri(image) for image in labels}
    table = model.table(list(paths.values()), "probabilities")
    seen = [image for image in labels if paths[image] in table]
    rows = {image: table[paths[image]] for image in seen}
    return {
        "all": _figures(model, labels, rows, seen),
        "validation": _figures(model, labels, rows, [image for image in seen if image in set(held)]),
    }


def _figures(
    model: ServedModel, labels: Mapping[str, Sequence[str]], rows: Mapping[str, Any], images: list[str]
) -> dict[str, Any]:
    if not images:
        return {"images": 0, **dict.fromkeys(_FIGURES)}
    names = list(model.class_names)
    probabilities = np.stack([rows[image] for image in images])
    marks = np.array([[int(name in labels[image]) for name in names] for image in images])
    if model.several_labels:
        found = multilabel_metrics(probabilities, marks, names)
    else:
        found = classification_metrics(probabilities, marks.argmax(1), names)
    return {"images": len(images), **{name: found.get(name) for name in _FIGURES}}
