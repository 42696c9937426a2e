"""What a federation is worth: beside each hospital alone, and beside all images in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Datalist
from ..data.entry import SPLITS
from ..inference import load_classifier, predict
from ..metrics import classification_metrics
from .rehearsal import Rehearsal, rehearse

__all__ = ["compare_trainings"]


def compare_trainings(
    bundle: str | os.PathLike[str],
    sites: Mapping[str, str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    rounds: int = 3,
    local_epochs: int = 1,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Trains the federation, each hospital alone, and all images together, and tests all of them alike.

    A hospital alone trains for as many epochs as in the federation. All images together train once for the same number
    of steps as the mean hospital took, and once for the same number of epochs, which is as many times more steps as
    there are hospitals of one size. Each has a schedule of its own length; the weights of its last epoch are tested.

    Args:
        bundle: the bundle's folder.
        sites: the data set of each hospital, by name.
        out: the folder for the files of every training.
        rounds: how many times weights are averaged.
        local_epochs: epochs of each hospital in a round.
        settings: settings of the bundle, as for :func:`rehearse`.

    Returns:
        A row for each training: ``training``, ``steps`` of a hospital on average, ``accuracy_<site>`` on the test
        images of each hospital, and ``accuracy``, ``balanced_accuracy`` and ``auc`` on those of all.

    Raises:
        ValueError: as :func:`rehearse`; or images have several labels.

    Example:
        >>> compare_trainings("bundles/medmamba_endo", {}, "out")
        Traceback (most recent call last):
        ValueError: expected one hospital or more, got none
    """
    root, settings, epochs = Path(os.path.abspath(out)), dict(settings or {}), rounds * local_epochs
    together = rehearse(bundle, sites, root / "federated", rounds=rounds, local_epochs=local_epochs, settings=settings)
    lists = {site: hospital.data for site, hospital in together.hospitals.items()}
    if any(data.several_labels for data in lists.values()):
        raise ValueError("expected one label an image to compare trainings, got several; rehearse without comparing")

    def train(name: str, site: str, dataset: str, epochs: int, **more: Any) -> Rehearsal:
        return rehearse(
            bundle, {site: dataset}, root / name, rounds=1, local_epochs=epochs, settings={**settings, **more}
        )

    rows = [_row("federated", together, lists)]
    for site, dataset in sites.items():
        rows.append(_row(f"{site} alone", train(f"{site}_alone", site, os.fspath(dataset), epochs), lists))
    source = {"all_data": _pool(lists)}
    fewer = max(1, round(epochs / len(lists)))
    rows.append(_row("all together, same steps", train("central_steps", "all", "", fewer, **source), lists))
    rows.append(_row("all together, same epochs", train("central_epochs", "all", "", epochs, **source), lists))
    return rows


def _pool(lists: Mapping[str, Datalist]) -> Datalist:
    """Returns the images of all hospitals as one data list."""
    first = next(iter(lists.values()))
    training, validation, test = ([item for data in lists.values() for item in data.split(split)] for split in SPLITS)
    root = os.path.commonpath([data.root for data in lists.values()])
    return Datalist(first.class_names, training, validation, test, root)


def _row(training: str, done: Rehearsal, lists: Mapping[str, Datalist]) -> dict[str, Any]:
    classifier = load_classifier(done.weights, device="cpu")
    row: dict[str, Any] = {"training": training, "steps": round(sum(done.steps.values()) / len(done.steps))}
    found, labels = [], []
    for site, data in lists.items():
        outcome = predict(classifier, [item["image"] for item in data.test])
        if outcome.failures:
            raise ValueError(f"hospital {site}: {outcome.failures[0].image}: {outcome.failures[0].reason}")
        truth = [item["label"] for item in data.test]
        found.append(outcome.predictions.probabilities)
        labels.append(truth)
        row[f"accuracy_{site}"] = float((found[-1].argmax(axis=1) == truth).mean())
    figures = classification_metrics(np.concatenate(found), np.concatenate(labels), list(classifier.class_names))
    return row | {name: figures[name] for name in ("accuracy", "balanced_accuracy", "auc")}
