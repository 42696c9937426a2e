"""What the report says in words and numbers, made from the files of a run."""

from __future__ import annotations

import re
from typing import Any

FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "auc": "AUC",
    "precision": "Precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1 score",
}
FURTHER = {
    "exact_match": "Images with every label right",
    "average_precision": "Average precision",
    "kappa": "Cohen's kappa",
    "quadratic_kappa": "Cohen's kappa, quadratic weights",
    "mcc": "Matthews correlation",
    "brier": "Brier score (lower is better)",
    "log_loss": "Log loss (lower is better)",
    "ece": "Expected calibration error (lower is better)",
}
"""Quadratic weights are shown where the classes are ordered."""


def base_names(value: Any) -> Any:
    r"""Return the value with every path in it cut down to its last component, lists and dictionaries included.

    Args:
        value: anything JSON can hold. Text with a slash or backslash in it counts as a path.

    Returns:
        The same structure.

    Example:
        >>> base_names({"dataset_dir": "/data/Doe^Jane/kvasir", "sizes": [64, "a\\b"]})
        {'dataset_dir': 'kvasir', 'sizes': [64, 'b']}
    """
    if isinstance(value, dict):
        return {key: base_names(item) for key, item in value.items()}
    if isinstance(value, list):
        return [base_names(item) for item in value]
    if isinstance(value, str):
        return re.split(r"[/\\]", value.rstrip("/\\"))[-1]
    return value


def lead(metrics: dict[str, Any], run: dict[str, Any]) -> list[str]:
    """Return the parts of the line under the title, as far as the files of the run tell.

    Args:
        metrics: the content of `evaluation/metrics.json`.
        run: the content of `run.json`, or an empty dictionary.

    Returns:
        Network and data set, split, number of images and of classes, start; what is unknown is left out.

    Example:
        >>> lead({"split": "test", "images": 40, "class_names": ["a", "b"]}, {"variant": "medmamba_nano"})
        ['medmamba_nano', 'test split', '40 images', '2 classes']
    """
    images = metrics.get("images")
    network = " on ".join(filter(None, [run.get("variant"), base_names(run.get("dataset"))]))
    split = f"{metrics['split']} split" if metrics.get("split") else None
    kind = "labels" if metrics.get("several_labels") else "classes"
    classes = f"{len(metrics['class_names'])} {kind}"
    count = f"{_thousands(images)} images" if images is not None else None
    return [part for part in (network, split, count, classes, run.get("started")) if part]


def skipped(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the undefined figures with the classes they are undefined for, figures of the same classes together.

    Args:
        metrics: the content of `evaluation/metrics.json`.

    Returns:
        Pairs of figures and classes, each joined by commas.

    Example:
        >>> skipped({"skipped": {"f1": ["ulcer"], "auc": ["ulcer"]}})
        [('F1 score, AUC', 'ulcer')]
    """
    groups: dict[str, list[str]] = {}
    for name, classes in metrics.get("skipped", {}).items():
        groups.setdefault(", ".join(classes), []).append(FIGURES.get(name, name))
    return [(", ".join(names), classes) for classes, names in groups.items()]


def counts_by_class(run: dict[str, Any]) -> dict[str, Any] | None:
    """Return the table of images by class and split.

    Args:
        run: the content of `run.json`, or an empty dictionary.

    Returns:
        `splits`, their names; `rows`, pairs of class name and counts; `sums`, one a split. None when the run holds no
        counts.

    Example:
        >>> counts_by_class({"counts": {"train": {"polyp": 3, "ulcer": 1}, "test": {"polyp": 2}}})["rows"]
        [('polyp', [3, 2]), ('ulcer', [1, 0])]
    """
    counts = run.get("counts")
    if not counts:
        return None
    classes = run.get("class_names") or list(dict.fromkeys(name for split in counts.values() for name in split))
    return {
        "splits": list(counts),
        "rows": [(name, [split.get(name, 0) for split in counts.values()]) for name in classes],
        "sums": [sum(split.values()) for split in counts.values()],
    }


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _thousands(value: Any) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if isinstance(value, int) else str(value)


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_setting(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_setting(item) for item in value)
    return {None: "none", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.0f}\N{NARROW NO-BREAK SPACE}%"


def _threshold(value: float | None) -> str:
    return "none reaches it" if value is None else f"{value:.4f}"


def _text(value: Any) -> str:
    return "unknown" if value is None else str(value)


FILTERS = {
    "percent": _percent,
    "threshold": _threshold,
    "text": _text,
    "figure": _figure,
    "duration": _duration,
    "thousands": _thousands,
    "setting": _setting,
}
