"""The files of a robustness measurement: JSON, a table, and one page that is complete in itself."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..files import atomic_path
from ..inference import ImageClassifier
from ..visualize.page_template import page_template
from ..visualize.picture import embed
from .corruptions import CORRUPTIONS, SEVERITIES
from .figures import corruption_figure, robustness_figure
from .measure import Robustness, RobustnessRow

__all__ = ["write_robustness"]

JSON, TABLE, PAGE = "robustness.json", "robustness.csv", "robustness.html"


def write_robustness(
    out: str | os.PathLike[str],
    measured: Robustness,
    classifier: ImageClassifier,
    *,
    dataset: str,
    split: str = "test",
    phantoms: bool = False,
) -> Path:
    """Writes ``robustness.json``, ``robustness.csv`` and ``robustness.html``, each whole or not at all.

    Args:
        out: Folder; is made if it is missing.
        measured: From ``measure_robustness``.
        classifier: The one that was measured.
        dataset: Name of the data, for the page; of a path, its last part.
        split: That was measured.
        phantoms: Whether the images are synthetic, which the page then says.

    Returns:
        Path of the page.

    Raises:
        OSError: The folder cannot be written.

    Example:
        >>> import tempfile, torch
        >>> from ..inference import Preprocessing
        >>> rows = [RobustnessRow("noise", s, None, 0.9, 0.8, 1.0, 0.9, 0.9, 0.9) for s in range(6)]
        >>> even = ImageClassifier("w", ("a", "b"), Preprocessing(32, (0.5,) * 3, (0.2,) * 3), lambda x: x)
        >>> write_robustness(tempfile.mkdtemp(), Robustness(9, 0, rows, torch.rand(3, 32, 32)), even, dataset="x").name
        'robustness.html'
    """
    folder = Path(out)
    name = Path(os.path.abspath(dataset)).name if dataset else "phantoms"
    content = {
        "weights": Path(classifier.source).name,
        "dataset": name,
        "split": split,
        "images": measured.images,
        "seed": measured.seed,
        "class_names": list(classifier.class_names),
        "preprocessing": classifier.preprocessing.describe(),
        "corruptions": {
            key: {"unit": CORRUPTIONS[key].unit, "strengths": list(CORRUPTIONS[key].strengths)}
            for key in _names(measured.rows)
        },
        "rows": [asdict(row) for row in measured.rows],
    }
    with atomic_path(folder / JSON) as temporary:
        text = json.dumps(content, indent=4, ensure_ascii=False, allow_nan=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
    with atomic_path(folder / TABLE) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(RobustnessRow)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in measured.rows)
    page = _page(measured, classifier, name, split, phantoms)
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")
    return folder / PAGE


def _page(measured: Robustness, classifier: ImageClassifier, name: str, split: str, phantoms: bool) -> str:
    worst = min(measured.rows, key=lambda row: row.accuracy)
    clean = measured.rows[0]
    filters = {"percent": lambda value: f"{100 * value:.1f}"}
    lead = [Path(classifier.source).name, name, f"{split} split", f"{measured.images} images", f"seed {measured.seed}"]
    return page_template(__package__, "robustness.html.j2", filters).render(
        title="MedMamba: robustness",
        lead=lead,
        phantoms=phantoms,
        clean=clean,
        worst={**asdict(worst), "title": CORRUPTIONS[worst.corruption].title} if worst.severity else None,
        curves=embed(robustness_figure(measured)),
        examples=embed(corruption_figure(measured)),
        severities=range(1, SEVERITIES + 1),
        table=[_line(key, [row for row in measured.rows if row.corruption == key]) for key in _names(measured.rows)],
        files=(JSON, TABLE),
    )


def _line(key: str, rows: Sequence[RobustnessRow]) -> dict[str, Any]:
    """Returns a row of the page's table."""
    accuracies = [row.accuracy for row in rows]
    strengths = [f"{strength:g}" for strength in CORRUPTIONS[key].strengths]
    worse = accuracies[1:]
    return {
        "title": CORRUPTIONS[key].title,
        "unit": CORRUPTIONS[key].unit,
        "strengths": strengths,
        "accuracies": accuracies,
        "mean": sum(worse) / len(worse),
        "confidence": rows[-1].confidence,
    }


def _names(rows: Sequence[RobustnessRow]) -> list[str]:
    return list(dict.fromkeys(row.corruption for row in rows))
