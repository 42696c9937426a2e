"""The files that a prediction leaves: a table, or JSON."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

from ..files import atomic_path
from ..metrics import FindingPredictions, Predictions, write_findings, write_predictions
from ..metrics.predictions import LEADING_COLUMNS, PREFIX
from .classifier import ImageClassifier
from .predict import Outcome

__all__ = ["RESULT_SUFFIXES", "write_results"]

RESULT_SUFFIXES = (".csv", ".json")
"""What a file of results may end in."""


def write_results(path: str | os.PathLike[str], outcome: Outcome, classifier: ImageClassifier) -> None:
    """Writes what became of the pictures; the file appears whole or not at all.

    ``.csv`` is the table that the bundles write as ``predictions.csv``: image, label (empty), prediction, confidence
    and one probability column a class, for the pictures that could be read; of several labels an image it is image,
    found (the labels of 0.5 or more) and the probabilities. ``.json`` also holds the failures with
    their reasons, and what the classifier is.

    Args:
        path: The file, ending in ``.csv`` or ``.json``; missing folders are made.
        outcome: What ``predict`` returned.
        classifier: The one that was used.

    Raises:
        ValueError: The file ends in something else.
        OSError: It cannot be written.

    Example:
        >>> import numpy as np, tempfile
        >>> from . import Outcome, Preprocessing
        >>> from ..metrics import Predictions
        >>> model = ImageClassifier("w.pt", ("x", "y"), Preprocessing(32, (0.5,) * 3, (0.25,) * 3), lambda batch: batch)
        >>> outcome = Outcome(Predictions(["a.png"], None, np.float32([[0.25, 0.75]]), ["x", "y"]), [])
        >>> write_results(f"{tempfile.mkdtemp()}/out.json", outcome, model)
    """
    target = Path(path)
    if target.suffix.lower() not in RESULT_SUFFIXES:
        raise ValueError(f"expected a result file that ends in .csv or .json, got {target}")
    if target.suffix.lower() == ".csv":
        _write_table(target, outcome.predictions)
        return
    content = {
        "weights": Path(classifier.source).name,
        "class_names": list(classifier.class_names),
        **({"several_labels": True} if classifier.several_labels else {}),
        "preprocessing": classifier.preprocessing.describe(),
        "temperature": classifier.temperature,
        "predictions": _rows(outcome),
        "failures": [failure._asdict() for failure in outcome.failures],
    }
    text = json.dumps(content, indent=4, ensure_ascii=False) + "\n"
    with atomic_path(target) as temporary:
        # A file name that is not UTF-8 holds lone surrogates, and what backslashreplace makes of them is a JSON escape.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _write_table(target: Path, predictions: Predictions | FindingPredictions) -> None:
    if isinstance(predictions, FindingPredictions):
        write_findings(target, predictions.images, None, predictions.probabilities, predictions.class_names)
        return
    if predictions.images:
        write_predictions(target, predictions.images, None, predictions.probabilities, predictions.class_names)
        return
    # write_predictions refuses an empty table; here one takes the place of what an earlier run left.
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        header = [*LEADING_COLUMNS, *(PREFIX + name for name in predictions.class_names)]
        csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(header)


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    predictions = outcome.predictions
    names = predictions.class_names
    # str: the fewest digits that read back to the same float32
    tables = [[float(str(value)) for value in row] for row in predictions.probabilities]
    said: list[dict[str, Any]]
    if isinstance(predictions, FindingPredictions):
        said = [{"found": found} for found in predictions.found]
    else:
        best = zip(predictions.predicted.tolist(), tables, strict=True)
        said = [{"prediction": names[place], "confidence": table[place]} for place, table in best]
    return [
        {"image": image, **words, "probabilities": dict(zip(names, table, strict=True))}
        for image, words, table in zip(predictions.images, said, tables, strict=True)
    ]
