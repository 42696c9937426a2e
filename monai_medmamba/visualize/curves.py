"""ROC and precision-recall curves with their bands as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import INK, MUTED, SERIES, shorten, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES, MOST_LABELS = 12, 16
COLUMNS = 4
PAPER: dict[str, Any] = {"bbox": {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}}
KINDS = {
    "roc": ("false_positive_rate", "1 \N{MINUS SIGN} specificity", "Sensitivity", "auc", "AUC"),
    "precision_recall": ("recall", "Sensitivity", "Precision", "average_precision", "AP"),
}


@styled
def curves_figure(evidence: Mapping[str, Any], kind: str) -> Figure:
    """Return the curve of each class against the rest in a panel of its own, with its bootstrap band.

    Of two classes the second is shown alone, whose curve says all, unless an image may have both. Of more than twelve
    the first twelve are shown; of labels, of which an image may have several, sixteen. A dotted line is what guessing
    gives.

    Args:
        evidence: the content of `evidence.json`: `curves`, `per_class` and `bootstrap` are read.
        kind: "roc" or "precision_recall".

    Returns:
        A figure that belongs to no window.

    Raises:
        ValueError: there is no such kind.

    Example:
        >>> curve = {"class": "a", "value": [0, 1], "low": [0, 1], "high": [0, 1]}
        >>> evidence = {"curves": {"roc": {"false_positive_rate": [0, 1], "classes": [curve]}}}
        >>> evidence["per_class"] = [{"auc": {"value": 0.5, "low": 0.4, "high": 0.6}, "support": 3}]
        >>> curves_figure(evidence, "roc").axes[0].get_title(loc="left")
        'a'
    """
    from matplotlib.figure import Figure

    if kind not in KINDS:
        raise ValueError(f"expected a kind of {', '.join(KINDS)}, got {kind!r}")
    axis, across, up, area, short = KINDS[kind]
    curves = evidence["curves"][kind]
    several = evidence.get("several_labels", False)
    images = evidence["images"] if several else sum(row["support"] for row in evidence["per_class"])
    rows = list(zip(curves["classes"], evidence["per_class"], strict=True))
    rows = rows[1:] if len(rows) == 2 and not several else rows[: MOST_LABELS if several else MOST_CLASSES]
    columns = min(COLUMNS, len(rows))
    lines = math.ceil(len(rows) / columns)
    side = 3.4 if len(rows) == 1 else 2.35
    figure = Figure(figsize=(side * columns + 0.3, (side + 0.25) * lines + 0.2), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(rows):
            axes.set_visible(False)
            continue
        curve, figures = rows[place]
        _draw(axes, curves[axis], curve, kind, figures["support"] / images)
        axes.set_title(shorten(curve["class"], 26), fontsize=9)
        corner = {"x": 0.96, "y": 0.06, "ha": "right"} if kind == "roc" else {"x": 0.05, "y": 0.06, "ha": "left"}
        axes.text(
            s=_area(figures[area], short),
            transform=axes.transAxes,
            fontsize=8,
            color=INK,
            linespacing=1.3,
            **PAPER,
            **corner,
        )
        axes.set_xlabel(across if place + columns >= len(rows) else "")
        axes.set_ylabel(up if place % columns == 0 else "")
    return figure


def _draw(axes: Axes, places: Any, curve: Mapping[str, Any], kind: str, share: float) -> None:
    x = np.asarray(places, dtype=float)
    value, low, high = (np.asarray(curve[edge], dtype=float) for edge in ("value", "low", "high"))
    axes.fill_between(x, low, high, color=SERIES[0], alpha=0.18, linewidth=0)
    axes.plot(x, value, color=SERIES[0], linewidth=1.6)
    if kind == "roc":
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    else:
        axes.axhline(share, color=MUTED, linestyle=":", linewidth=1)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(True)


def _area(row: Mapping[str, float | None], short: str) -> str:
    if row["value"] is None:
        return f"{short} undefined"
    if row["low"] is None:
        return f"{short} {row['value']:.3f}"
    return f"{short} {row['value']:.3f}\n{row['low']:.3f} to {row['high']:.3f}"
