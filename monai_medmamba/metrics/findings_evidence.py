"""What a reviewer asks of an evaluation where an image may have several labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .bootstrap import Bootstrap, bootstrap_intervals
from .curves import curves_with_bands
from .evidence_settings import EvidenceSettings
from .findings import read_findings
from .multilabel import JudgedFindings
from .operating_points import operating_points
from .run_data import RunData
from .subgroups import subgroup_figures


def findings_evidence(folder: Path, data: RunData, settings: EvidenceSettings) -> dict[str, Any]:
    """Return the content of `evidence.json` of several labels an image.

    Every label is a question of its own, and what asks for one answer an image is left out: a temperature over all
    classes with its reliability diagram, and leaving images out by their confidence. The calibration error of each
    label stands among its figures.

    Args:
        folder: holds `predictions.csv` and, for thresholds, `validation.csv`, both of several labels.
        data: what is known of the images.
        settings: what to compute.

    Returns:
        The content: the keys of one label an image, with None for `abstention` and a `calibration` of temperature 1.

    Raises:
        ValueError: a table is damaged, the truth is unknown, both tables name different labels, or a column cannot be
            used.
    """
    test = read_findings(folder / "predictions.csv")
    judged = JudgedFindings(test.probabilities, test.members, test.class_names)
    path = folder / "validation.csv"
    validation = read_findings(path) if path.is_file() else None
    if validation is not None and validation.class_names != test.class_names:
        raise ValueError(f"{folder}: validation.csv and predictions.csv name different labels; evaluate again")
    bootstrap = Bootstrap(data.patients(test.images), settings.resamples, settings.seed)
    intervals = bootstrap_intervals(judged, bootstrap)
    for row, support in zip(intervals["per_class"], test.members.sum(axis=0).tolist(), strict=True):
        row["support"] = support
    return {
        "several_labels": True,
        "images": len(test.images),
        "bootstrap": bootstrap.describe(len(test.images)),
        "ordinal": False,
        **intervals,
        "curves": curves_with_bands(judged, bootstrap),
        "calibration": {
            "temperature": 1.0,
            "validation_images": None if validation is None else len(validation.images),
        },
        "operating_points": (
            None if validation is None else operating_points(validation, test, bootstrap, settings.targets)
        ),
        "abstention": None,
        "subgroups": subgroup_figures(test, data.columns(test.images, settings.table, settings.columns), bootstrap),
        "data": data.facts(),
    }
