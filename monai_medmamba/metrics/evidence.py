"""Everything a reviewer asks of an evaluation, gathered from its predictions."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..files import atomic_path
from .abstention import abstention
from .bootstrap import Bootstrap, bootstrap_intervals
from .classification import JudgedClasses
from .curves import curves_with_bands
from .evidence_settings import EvidenceSettings
from .findings import is_findings_table
from .findings_evidence import findings_evidence
from .operating_points import operating_points
from .predictions import Predictions, guard, read_predictions
from .run_data import RunData
from .subgroups import subgroup_figures
from .temperature import apply_temperature, calibration_summary

FOLDER = "evaluation"
FILE, FOREIGN = "evidence.json", "foreign.json"
FIGURES_TABLE, SUBGROUPS_TABLE, CURVES_TABLE = "figures.csv", "subgroups.csv", "curves.csv"


def write_evidence(run_dir: str | Path, settings: EvidenceSettings | None = None) -> dict[str, Any]:
    """Compute intervals, curves, calibration, operating points, abstention and subgroups of an evaluated run.

    Of several labels an image, calibration and abstention stay out: `findings_evidence` says why.

    It reads `evaluation/predictions.csv` and, where they are there, `evaluation/validation.csv` (without which nothing
    can be chosen), `evaluation/metrics.json` (for the temperature behind the predictions, 1 without it),
    `evaluation/foreign.json` (what told images of other kinds apart) and the data list (without which patients and
    splits are unknown). It writes `evidence.json` and the tables `figures.csv`, `curves.csv` and `subgroups.csv` beside
    the predictions. No patient is named in them.

    Args:
        run_dir: folder of the run.
        settings: what to compute; None for the defaults.

    Returns:
        The content of `evidence.json`.

    Raises:
        FileNotFoundError: there are no predictions.
        ValueError: a file is damaged, the true classes are unknown, or a column cannot be used; the message says which.

    Example:
        >>> write_evidence("no such run")
        Traceback (most recent call last):
        FileNotFoundError: no such run/evaluation/predictions.csv is missing; evaluate the run first
    """
    settings = settings or EvidenceSettings()
    folder = Path(run_dir) / FOLDER
    if not (folder / "predictions.csv").is_file():
        raise FileNotFoundError(f"{folder / 'predictions.csv'} is missing; evaluate the run first")
    data = RunData(run_dir)
    content = (
        findings_evidence(folder, data, settings)
        if is_findings_table(folder / "predictions.csv")
        else _of_one_label(folder, data, settings)
    )
    content["foreign"] = _foreign(folder / FOREIGN)
    with atomic_path(folder / FILE) as draft:
        draft.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    _write_tables(folder, content)
    return content


def _of_one_label(folder: Path, data: RunData, settings: EvidenceSettings) -> dict[str, Any]:
    test = read_predictions(folder / "predictions.csv")
    test.truth  # noqa: B018  (raises where it is unknown)
    validation = read_predictions(folder / "validation.csv") if (folder / "validation.csv").is_file() else None
    if validation is not None and validation.class_names != test.class_names:
        raise ValueError(f"{folder}: validation.csv and predictions.csv name different classes; evaluate again")
    temperature = _temperature(folder / "metrics.json")
    bootstrap = Bootstrap(data.patients(test.images), settings.resamples, settings.seed)
    judged = JudgedClasses(test.probabilities, test.truth, test.class_names)
    return {
        "bootstrap": bootstrap.describe(len(test.images)),
        "ordinal": settings.ordinal,
        **_with_support(bootstrap_intervals(judged, bootstrap), judged),
        "curves": curves_with_bands(judged, bootstrap),
        "calibration": {
            "temperature": temperature,
            "before": calibration_summary(_with_temperature(test, 1 / temperature)),
            "after": calibration_summary(test),
            "validation_images": None if validation is None else len(validation.images),
        },
        "operating_points": (
            None if validation is None else operating_points(validation, test, bootstrap, settings.targets)
        ),
        "abstention": abstention(validation, test, bootstrap, settings.target_accuracy),
        "subgroups": subgroup_figures(test, data.columns(test.images, settings.table, settings.columns), bootstrap),
        "data": data.facts(),
    }


def _with_support(intervals: dict[str, Any], judged: JudgedClasses) -> dict[str, Any]:
    """Add the number of images to each class."""
    for c, row in enumerate(intervals["per_class"]):
        row["support"] = int((judged.truth == c).sum())
    return intervals


def _foreign(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); evaluate the run again") from error
    return content


def _temperature(path: Path) -> float:
    if not path.is_file():
        return 1.0
    try:
        return float(json.loads(path.read_text(encoding="utf-8")).get("temperature", 1.0))
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}); evaluate the run again") from error


def _with_temperature(predictions: Predictions, temperature: float) -> Predictions:
    return replace(predictions, probabilities=apply_temperature(predictions.probabilities, temperature))


def _write_tables(folder: Path, content: dict[str, Any]) -> None:
    edges = ("value", "low", "high")
    figures = [("", name, *(row[edge] for edge in edges)) for name, row in content["figures"].items()]
    for row in content["per_class"]:
        figures += [
            (row["class"], name, *(value[e] for e in edges)) for name, value in row.items() if isinstance(value, dict)
        ]
    _write(folder / FIGURES_TABLE, ("class", "figure", *edges), figures)
    groups = [
        (table["column"], row["value"], row["images"], row["units"], name, *(value[edge] for edge in edges))
        for table in content["subgroups"]
        for row in table["rows"]
        for name, value in row["figures"].items()
    ]
    _write(folder / SUBGROUPS_TABLE, ("column", "group", "images", "units", "figure", *edges), groups)
    curves = []
    for kind, axis in (("roc", "false_positive_rate"), ("precision_recall", "recall")):
        curve = content["curves"][kind]
        for row in curve["classes"]:
            for place, *values in zip(curve[axis], *(row[edge] for edge in edges), strict=True):
                curves.append((kind, row["class"], place, *values))
    kept = content["abstention"] or {"coverage": (), "risk": (), "low": (), "high": ()}
    for place, *values in zip(kept["coverage"], kept["risk"], kept["low"], kept["high"], strict=True):
        curves.append(("risk_coverage", "", place, *values))
    _write(folder / CURVES_TABLE, ("curve", "class", "at", *edges), curves)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a table; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    with atomic_path(path) as draft, draft.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([guard(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
