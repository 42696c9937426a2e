"""One page about one run, complete in itself."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from .confusion_matrix import confusion_matrix_figure
from .example_sheet import draw_sheet, one_class_after_another
from .page_template import page_template
from .page_text import FIGURES, FILTERS, base_names, counts_by_class, lead, skipped
from .picture import embed
from .run_files import (
    HISTORY,
    METRICS,
    PREDICTIONS,
    RUN,
    read_history,
    read_labelled_predictions,
    read_metrics,
    read_run,
)
from .training_curves import training_curves_figure

logger = logging.getLogger(__name__)

FILE_NAME = "report.html"


def write_report(
    run_dir: str | Path,
    *,
    title: str = "MedMamba: report of a run",
    key_metric: str | None = None,
    examples: int = 10,
) -> Path:
    """Write `report.html` into the folder of a run, from the files the run left there, and return its path.

    The page needs no network and no script: style and pictures are inside it. It shows the figures of merit, the data,
    the training curves, the confusion matrix, the table by class, example predictions (the most confident errors
    among them), configuration and versions. A file that is missing is named on the page. Images and every other file
    appear under their base names only, because folder names may identify patients.

    Args:
        run_dir: folder that holds `evaluation/metrics.json` and, each of them optional, `history.csv`,
            `evaluation/predictions.csv` and `run.json`. Relative image paths are looked up from the working
            directory, then from this folder.
        title: heading of the page.
        key_metric: column of `history.csv` that decided the best epoch; None as in `training_curves_figure`.
        examples: most example images of each kind, right and wrong.

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
    metrics, run = read_metrics(run_dir), read_run(run_dir)
    history, predictions = read_history(run_dir), read_labelled_predictions(run_dir)
    wrong = sorted((p for p in predictions or [] if not p.correct), key=lambda p: -p.confidence)
    right = one_class_after_another([p for p in predictions or [] if p.correct])
    page = page_template(__package__, "report.html.j2", FILTERS).render(
        title=title,
        lead=lead(metrics, run or {}),
        skipped=skipped(metrics),
        figures=[(label, metrics.get(name)) for name, label in FIGURES.items()],
        metrics=metrics,
        run=run or {},
        counts=counts_by_class(run or {}),
        checkpoint=base_names(metrics.get("checkpoint")),
        dataset=base_names((run or {}).get("dataset")),
        config=base_names((run or {}).get("config") or {}),
        curves=embed(training_curves_figure(history, key_metric)) if history else None,
        matrix=embed(confusion_matrix_figure(metrics["confusion_matrix"], metrics["class_names"])),
        wrong_total=len(wrong),
        right_total=len(right),
        wrong=draw_sheet(wrong, examples, run_dir),
        right=draw_sheet(right, examples, run_dir),
        has_predictions=predictions is not None,
        has_labels=bool(predictions),
        has_run=run is not None,
        names={"metrics": METRICS, "predictions": PREDICTIONS, "history": HISTORY, "run": RUN},
    )
    path = run_dir / FILE_NAME
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_text(page, encoding="utf-8", errors="replace")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    logger.info("report written to %s", path)
    return path
