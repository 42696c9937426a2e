"""What the report shows, as one JSON content: every number of the page stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .limits import limits
from .page_text import base_names, counts_by_class, lead, skipped
from .run_files import Prediction, read_evidence, read_history, read_metrics, read_run

INTENDED_USE = (
    "Research and education. Not for diagnostic use: nothing here has been validated in care, and the images that the "
    "network will meet there may differ from these."
)


def report_content(
    run_dir: Path, title: str, predictions: Sequence[Prediction] | None, examples: int
) -> dict[str, Any]:
    """Return the content of `report.json`.

    Args:
        run_dir: folder of the run.
        title: heading of the page.
        predictions: those with known truth, None where the file is missing.
        examples: how many examples of each kind are listed.

    Returns:
        `title`, `lead`, `notices`, `intended_use`, `limits`, `metrics`, `evidence` (None without), `run` (None
        without), `counts`, `history` (None without), `skipped`, `examples`; folders cut off every path.

    Raises:
        FileNotFoundError: the run has not been evaluated.
        ValueError: a file is damaged; the message names it.
    """
    metrics, run = read_metrics(run_dir), read_run(run_dir)
    content: dict[str, Any] = {
        "title": title,
        "lead": lead(metrics, run or {}),
        "intended_use": (run or {}).get("intended_use") or INTENDED_USE,
        "metrics": {**metrics, "checkpoint": base_names(metrics.get("checkpoint"))},
        "evidence": read_evidence(run_dir),
        "run": None
        if run is None
        else {**run, "dataset": base_names(run.get("dataset")), "config": base_names(run.get("config") or {})},
        "counts": counts_by_class(run or {}),
        "history": read_history(run_dir),
        "skipped": skipped(metrics),
        "examples": None if predictions is None else _examples(predictions, examples),
    }
    return {**content, "limits": limits(content)}


def sorted_examples(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """Return the predictions of each kind that the report shows, the most telling first.

    Args:
        predictions: with known truth.

    Returns:
        `wrong`, the errors, most confident first; `uncertain`, all, least confident first; `right`, the correct ones,
        the classes in turn.
    """
    from .example_sheet import one_class_after_another

    return {
        "wrong": sorted((p for p in predictions if not p.correct), key=lambda p: -p.confidence),
        "uncertain": sorted(predictions, key=lambda p: p.confidence),
        "right": one_class_after_another([p for p in predictions if p.correct]),
    }


def _examples(predictions: Sequence[Prediction], most: int) -> dict[str, Any]:
    kinds = sorted_examples(predictions)
    return {
        "images": len(predictions),
        **{
            kind: {
                "total": len(rows),
                "first": [
                    {
                        "image": base_names(row.image).encode("utf-8", "replace").decode("utf-8"),
                        "label": row.label,
                        "prediction": row.prediction,
                        "confidence": row.confidence,
                    }
                    for row in rows[:most]
                ],
            }
            for kind, rows in kinds.items()
        },
    }
