"""A temperature for weights that have none, or an old one: fitted on validation and stored in their file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from ..files import atomic_path
from ..handlers import read_checkpoint
from ..metrics import Predictions, apply_temperature, fit_temperature, read_predictions
from ..networks import save_weights
from .classifier import has_several_labels, read_weights, temperature_of

__all__ = ["calibrate_weights"]


def calibrate_weights(weights: str | os.PathLike[str], validation: str | os.PathLike[str]) -> dict[str, Any]:
    """Fits a temperature on predictions of validation images and stores it with the weights that made them.

    Training does this itself; here it is for weights from before, or for other validation images. What the weights
    say of their own temperature is undone first, so doing it again changes nothing.

    Args:
        weights: ``model.safetensors`` or ``model.pt``; rewritten whole or not at all.
        validation: a table of predictions with known classes, made with these weights on validation images, such as
            ``evaluation/validation.csv``.

    Returns:
        What is stored: ``temperature``, ``images``, ``log_loss_before`` and ``log_loss_after``, ``reason``.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged or of another kind, the weights are for several labels an image, the classes
            differ or are unknown, or the table is that of a test set.

    Example:
        >>> calibrate_weights("missing.pt", "validation.csv")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        FileNotFoundError: no weights at missing.pt: ...
    """
    path, table = Path(weights), Path(validation)
    network, description = read_weights(path)
    _refuse_test_set(table)
    if has_several_labels(path, description):
        raise ValueError(
            f"{path} is for several labels an image, for which no temperature is fitted: leave it as it is"
        )
    found = read_predictions(table)
    names = list(description.get("class_names") or [])
    if found.class_names != names:
        raise ValueError(
            f"{path} has the classes {names}, {table} {found.class_names}; name predictions made with these weights"
        )
    raw = apply_temperature(found.probabilities, 1 / temperature_of(path, description))
    calibration = fit_temperature(Predictions(found.images, found.truth, raw, names))
    if path.suffix.lower() == ".safetensors":
        save_weights(path, network, names, description.get("preprocessing") or {}, calibration)
        return calibration
    content = read_checkpoint(path)
    content["description"]["calibration"] = calibration
    with atomic_path(path) as draft:
        torch.save(content, draft)
    return calibration


def _refuse_test_set(table: Path) -> None:
    """Raises ValueError for the table that an evaluation reports on."""
    beside = table.parent / "metrics.json"
    if table.name != "predictions.csv" or not beside.is_file():
        return
    split = json.loads(beside.read_text(encoding="utf-8")).get("split")
    if split != "validation":
        raise ValueError(
            f"{table} holds the {split} split, whose figures a temperature fitted on it would flatter; "
            f"name {table.with_name('validation.csv')}"
        )
