"""One page about one run, complete in itself, with its numbers as JSON, a model card and checklists."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import atomic_path
from .calibration import reliability_figure, risk_coverage_figure
from .checklists import CHECKLISTS
from .confusion_matrix import confusion_matrix_figure
from .curves import curves_figure
from .example_sheet import draw_sheet
from .page_template import page_template
from .page_text import FIGURES, FILTERS, FURTHER
from .picture import Picture, embed
from .report_content import report_content, sorted_examples
from .report_facts import report_facts
from .run_files import EVIDENCE, HISTORY, METRICS, PREDICTIONS, RUN, read_labelled_predictions, read_metrics
from .traced import Traced
from .training_curves import training_curves_figure

logger = logging.getLogger(__name__)

FILE_NAME, JSON_NAME, CARD_NAME = "report.html", "report.json", "model_card.md"
PER_CLASS = {
    "precision": "Precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1 score",
    "auc": "AUC",
    "average_precision": "Average precision",
}


def write_report(
    run_dir: str | Path,
    *,
    title: str = "MedMamba: report of a run",
    key_metric: str | None = None,
    examples: int = 10,
) -> Path:
    """Write the report of a run into its folder, from the files the run left there, and return the path of the page.

    `report.html` needs no network and no script: style and pictures are inside it. It shows figures with intervals, the
    data, the training, the confusion matrix, figures by class, curves, calibration, operating points, what leaving out
    doubtful images gains, subgroups, example predictions, settings and versions. `report.json` holds every number of
    the page; on the page each carries the JSON Pointer of its place as `data-key`. `model_card.md` and the checklists
    in `checklists/` are filled from it, with what only the authors know left open. A file that is missing is named on
    the page. Images and every other file appear under their base names only, because folder names may identify
    patients. Where an image may have several labels, the page says which parts it leaves out.

    Args:
        run_dir: folder that holds `evaluation/metrics.json` and, each of them optional, `evaluation/evidence.json`,
            `history.csv`, `evaluation/predictions.csv` and `run.json`. Relative image paths are looked up from the
            working directory, then from this folder.
        title: heading of the page.
        key_metric: column of `history.csv` that decided the best epoch; None as in `training_curves_figure`.
        examples: most example images of each kind.

    Returns:
        Path of the page; an earlier one is replaced.

    Raises:
        FileNotFoundError: when `evaluation/metrics.json` is missing.
        ValueError: when one of the files is damaged; the message names it.

    Example:
        >>> write_report("no such run")
        Traceback (most recent call last):
        FileNotFoundError: no such run/evaluation/metrics.json is missing; evaluate the run before reporting on it
    """
    run_dir = Path(run_dir)
    several = bool(read_metrics(run_dir).get("several_labels"))
    predictions = None if several else read_labelled_predictions(run_dir)
    content = report_content(run_dir, title, predictions, examples)
    metrics, evidence, history = content["metrics"], content["evidence"], content["history"]
    sheets = {kind: draw_sheet(rows, examples, run_dir) for kind, rows in sorted_examples(predictions or []).items()}
    page = page_template(__package__, "report.html.j2", FILTERS).render(
        n=Traced(content, FILTERS),
        content=content,
        metrics=metrics,
        evidence=evidence,
        run=content["run"] or {},
        has_run=content["run"] is not None,
        headline=FIGURES,
        several=several,
        further=_further(evidence) if evidence else {},
        per_class=PER_CLASS,
        curves=embed(training_curves_figure(history, key_metric)) if history else None,
        matrix=None if several else embed(confusion_matrix_figure(metrics["confusion_matrix"], metrics["class_names"])),
        pictures=_evidence_pictures(evidence) if evidence else {},
        sheets=sheets,
        names={"metrics": METRICS, "predictions": PREDICTIONS, "history": HISTORY, "run": RUN, "evidence": EVIDENCE},
    )
    _write(run_dir / JSON_NAME, json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    facts = report_facts(content)
    card = page_template(__package__, "model_card.md.j2", FILTERS).render(content=content, facts=facts, names=FIGURES)
    _write(run_dir / CARD_NAME, card)
    for name, checklist in CHECKLISTS.items():
        template = page_template(__package__, "checklist.md.j2", FILTERS)
        _write(run_dir / "checklists" / f"{name}.md", template.render(checklist=checklist, facts=facts, title=title))
    path = run_dir / FILE_NAME
    _write(path, page)
    logger.info("report written to %s", path)
    return path


def _further(evidence: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures of the second table: quadratic kappa means something for ordered classes alone."""
    there = {key: name for key, name in FURTHER.items() if key in evidence["figures"]}
    return {key: name for key, name in there.items() if key != "quadratic_kappa" or evidence["ordinal"]}


def _evidence_pictures(evidence: Mapping[str, Any]) -> dict[str, Picture]:
    pictures = {kind: embed(curves_figure(evidence, kind)) for kind in ("roc", "precision_recall")}
    if evidence["abstention"] is not None:  # None where an image may have several labels
        pictures["reliability"] = embed(reliability_figure(evidence["calibration"]))
        pictures["risk_coverage"] = embed(risk_coverage_figure(evidence["abstention"]))
    return pictures


def _finite(value: Any) -> Any:
    """Return the content with None for the numbers that JSON does not know: empty cells of the history."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="replace")
