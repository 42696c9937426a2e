"""The figures of a cross-validation, gathered from the folders of its folds."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from ..files import atomic_path
from ..metrics import (
    Bootstrap,
    JudgedClasses,
    Predictions,
    bootstrap_intervals,
    classification_metrics,
    read_predictions,
    write_predictions,
)
from ..metrics.run_data import RunData

__all__ = ["FIGURES", "fold_figures", "pool_folds"]

FIGURES = ("accuracy", "balanced_accuracy", "auc", "f1")


def pool_folds(out: str | os.PathLike[str], folds: int) -> Predictions:
    """Joins what each fold's network said of the images it did not learn from.

    They are written where the ensemble's evaluation looks for the images to choose thresholds on: no member of it has
    learnt from the images that these predictions of its are about.

    Args:
        out: folder of the cross-validation.
        folds: how many.

    Returns:
        The predictions of all training and validation images, each once.

    Raises:
        FileNotFoundError: a fold was not evaluated.
        ValueError: folds name other classes, or an image is in two folds.

    Example:
        >>> pool_folds("no such folder", 2)
        Traceback (most recent call last):
        FileNotFoundError: no such folder/fold0/evaluation/validation.csv is missing: evaluate the fold first
    """
    pooled = _pool(_left_out(Path(out), folds))
    write_predictions(
        Path(out) / "ensemble" / "evaluation" / "validation.csv",
        pooled.images,
        pooled.labels,
        pooled.probabilities,
        pooled.class_names,
    )
    return pooled


def fold_figures(out: str | os.PathLike[str], folds: int, resamples: int = 1000) -> dict[str, Any]:
    """Gathers the figures of a finished cross-validation, and writes ``cross_validation.json`` and ``.csv``.

    Args:
        out: folder of the cross-validation.
        folds: how many.
        resamples: of the bootstrap of the pooled figures.

    Returns:
        ``validation`` (of each fold, of the images it left out), ``test`` (of each fold), ``pooled`` (all images left
        out together, with intervals) and ``ensemble`` (test, with intervals); the first two with mean and standard
        deviation over the folds.

    Raises:
        FileNotFoundError: a step is missing.
        ValueError: a file is damaged.

    Example:
        >>> FIGURES
        ('accuracy', 'balanced_accuracy', 'auc', 'f1')
    """
    folder = Path(out)
    left_out = _left_out(folder, folds)
    pooled = _pool(left_out)
    patients = RunData(folder / "ensemble").patients(pooled.images)
    bootstrap = Bootstrap(patients, resamples)
    judged = JudgedClasses(pooled.probabilities, pooled.truth, pooled.class_names)
    runs = [folder / f"fold{k}" for k in range(folds)]
    ensemble = _evidence(folder / "ensemble")
    content: dict[str, Any] = {
        "folds": folds,
        "validation": _over_folds([_figures_of(part) for part in left_out], [len(part.images) for part in left_out]),
        "test": _over_folds(
            [{name: _evidence(run)["figures"][name]["value"] for name in FIGURES} for run in runs],
            [len(read_predictions(run / "evaluation" / "predictions.csv").images) for run in runs],
        ),
        "pooled": {
            "images": len(pooled.images),
            "bootstrap": bootstrap.describe(len(pooled.images)),
            "figures": _chosen(bootstrap_intervals(judged, bootstrap)["figures"]),
        },
        "ensemble": {
            "images": len(read_predictions(folder / "ensemble" / "evaluation" / "predictions.csv").images),
            "bootstrap": ensemble["bootstrap"],
            "figures": _chosen(ensemble["figures"]),
        },
    }
    with atomic_path(folder / "cross_validation.json") as draft:
        draft.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    with atomic_path(folder / "cross_validation.csv") as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("what", "images", *FIGURES))
        for what in ("validation", "test"):
            for k, row in enumerate(content[what]["by_fold"]):
                writer.writerow((f"fold {k}, {what}", row["images"], *(row[name] for name in FIGURES)))
        for what in ("pooled", "ensemble"):
            figures = content[what]["figures"]
            writer.writerow((what, content[what]["images"], *(figures[name]["value"] for name in FIGURES)))
    return content


def _left_out(folder: Path, folds: int) -> list[Predictions]:
    """Returns what each fold's network said of the images it did not learn from."""
    parts = []
    for k in range(folds):
        path = folder / f"fold{k}" / "evaluation" / "validation.csv"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: evaluate the fold first")
        parts.append(read_predictions(path))
    names = parts[0].class_names
    if any(part.class_names != names for part in parts):
        raise ValueError(f"{folder}: the folds name different classes; begin again in another folder")
    images = [image for part in parts for image in part.images]
    if len(set(images)) < len(images):
        raise ValueError(f"{folder}: an image is in two folds; begin again in another folder, with one seed for all")
    return parts


def _pool(parts: list[Predictions]) -> Predictions:
    return Predictions(
        [image for part in parts for image in part.images],
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        parts[0].class_names,
    )


def _figures_of(part: Predictions) -> dict[str, float | None]:
    found = classification_metrics(part.probabilities, part.truth, part.class_names)
    return {name: found[name] for name in FIGURES}


def _over_folds(rows: list[dict[str, float | None]], images: list[int]) -> dict[str, Any]:
    """Returns the figures by fold, with their mean and standard deviation where every fold has them."""
    summary: dict[str, Any] = {}
    for name in FIGURES:
        values = [value for row in rows if (value := row[name]) is not None]
        whole = len(values) == len(rows)
        summary[name] = {"mean": fmean(values), "std": stdev(values)} if whole else {"mean": None, "std": None}
    return {
        "by_fold": [{"images": count, **row} for count, row in zip(images, rows, strict=True)],
        "over_folds": summary,
    }


def _chosen(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in FIGURES}


def _evidence(run: Path) -> dict[str, Any]:
    path = run / "evaluation" / "evidence.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: evaluate the fold first")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
