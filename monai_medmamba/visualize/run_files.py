"""The files a run leaves in its folder, read for the report."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METRICS = "evaluation/metrics.json"
PREDICTIONS = "evaluation/predictions.csv"
HISTORY = "history.csv"
RUN = "run.json"
EVIDENCE = "evaluation/evidence.json"


@dataclass(frozen=True)
class Prediction:
    """One line of `predictions.csv`, as far as the report shows it.

    Args:
        image: the image's path as written.
        label: true class name, empty where unknown.
        prediction: predicted class name.
        confidence: probability of the predicted class, in [0, 1].

    Example:
        >>> Prediction("a.png", "polyp", "polyp", 0.9).correct
        True
    """

    image: str
    label: str
    prediction: str
    confidence: float

    @property
    def correct(self) -> bool:
        """Whether truth and prediction agree."""
        return self.label == self.prediction


def read_metrics(run_dir: Path) -> dict[str, Any]:
    """Return `evaluation/metrics.json`, the one file a report cannot do without.

    Args:
        run_dir: folder of the run.

    Returns:
        What `monai_medmamba.metrics.classification_metrics` gave, or `multilabel_metrics` where `several_labels`
        stands beside it, with whatever the evaluation added.

    Raises:
        FileNotFoundError: when the run has not been evaluated.
        ValueError: when the file is not JSON or lacks a table the report shows.

    Example:
        >>> read_metrics(Path("no such run"))
        Traceback (most recent call last):
        FileNotFoundError: no such run/evaluation/metrics.json is missing; evaluate the run before reporting on it
    """
    path = run_dir / METRICS
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; evaluate the run before reporting on it")
    metrics = _read_object(path)
    matrix = () if metrics.get("several_labels") else ("confusion_matrix",)
    missing = [key for key in ("class_names", "per_class", *matrix, "accuracy") if key not in metrics]
    if missing:
        source = "classification_metrics" if matrix else "multilabel_metrics"
        raise ValueError(f"{path} lacks {', '.join(missing)}; write it from {source}")
    number = len(metrics["class_names"])
    tables = [metrics["per_class"], *((metrics["confusion_matrix"], *metrics["confusion_matrix"]) if matrix else ())]
    shape = set(map(len, tables))
    if shape != {number}:
        raise ValueError(f"{path} names {number} classes, but its tables have {sorted(shape)} rows or columns")
    return metrics


def read_run(run_dir: Path) -> dict[str, Any] | None:
    """Return `run.json`: data set, configuration, versions, device and time of the run; None when it is missing.

    Args:
        run_dir: folder of the run.

    Returns:
        The object in the file, or None.

    Raises:
        ValueError: when the file is not a JSON object.

    Example:
        >>> read_run(Path("no such run")) is None
        True
    """
    path = run_dir / RUN
    return _read_object(path) if path.is_file() else None


def read_evidence(run_dir: Path) -> dict[str, Any] | None:
    """Return `evaluation/evidence.json`: intervals, curves, calibration and more; None when it is missing.

    Args:
        run_dir: folder of the run.

    Returns:
        What `monai_medmamba.metrics.write_evidence` computed, or None.

    Raises:
        ValueError: when the file is not JSON or lacks a part that the report shows.

    Example:
        >>> read_evidence(Path("no such run")) is None
        True
    """
    path = run_dir / EVIDENCE
    if not path.is_file():
        return None
    content = _read_object(path)
    parts = ("bootstrap", "figures", "per_class", "curves", "calibration", "operating_points", "abstention")
    missing = [part for part in (*parts, "subgroups", "data") if part not in content]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}; write it again with `medmamba report`")
    return content


def read_history(run_dir: Path) -> dict[str, list[float]] | None:
    """Return `history.csv` as columns of numbers, NaN for an empty cell; None when it is missing or has no epoch.

    Args:
        run_dir: folder of the run.

    Returns:
        Column name to one number an epoch, or None.

    Raises:
        ValueError: when a line has another number of cells than the header or a cell is not a number.

    Example:
        >>> read_history(Path("no such run")) is None
        True
    """
    path = run_dir / HISTORY
    if not path.is_file():
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        columns: dict[str, list[float]] = {name: [] for name in next(reader, [])}
        for cells in reader:
            if len(cells) != len(columns):
                raise ValueError(f"{path}, line {reader.line_num}: expected {len(columns)} cells, got {len(cells)}")
            for name, cell in zip(columns, cells, strict=True):
                try:
                    columns[name].append(float(cell or "nan"))
                except ValueError as error:
                    raise ValueError(f"{path}, line {reader.line_num}: {name} is {cell!r}, not a number") from error
    return columns if any(columns.values()) else None


def read_labelled_predictions(run_dir: Path) -> list[Prediction] | None:
    """Return the lines of `evaluation/predictions.csv` whose truth is known; None when the file is missing.

    Args:
        run_dir: folder of the run.

    Returns:
        The predictions in the order of the file, or None.

    Raises:
        ValueError: when the columns the report shows are not there or a confidence is not a number.

    Example:
        >>> read_labelled_predictions(Path("no such run")) is None
        True
    """
    path = run_dir / PREDICTIONS
    if not path.is_file():
        return None
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file)
        try:
            rows = [
                Prediction(
                    _unguarded(row["image"]),
                    _unguarded(row["label"]),
                    _unguarded(row["prediction"]),
                    float(row["confidence"]),
                )
                for row in reader
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{path}, line {reader.line_num}: expected image, label, prediction and a number as confidence; "
                "write it with monai_medmamba.metrics.write_predictions"
            ) from error
    return [row for row in rows if row.label]


def _unguarded(cell: str) -> str:
    """Take off the apostrophe that `write_predictions` sets before text a spreadsheet would run as a formula."""
    return cell[1:] if cell.startswith("'") else cell


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object in {path}, got {type(value).__name__}")
    return value
