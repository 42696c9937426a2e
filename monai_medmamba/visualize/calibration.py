"""Whether probabilities mean what they say, and what leaving out doubtful images gains, as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import INK, MUTED, RULE, SERIES, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def reliability_figure(calibration: Mapping[str, Any]) -> Figure:
    """Return the reliability diagram before and after the temperature: accuracy against stated confidence.

    Points below the diagonal were too confident. The bars show how many images stated such a confidence.

    Args:
        calibration: `before` and `after`, each with `bins` and `ece`, and `temperature`, as in `evidence.json`.

    Returns:
        A figure that belongs to no window.

    Example:
        >>> bins = [{"low": 0.8, "high": 0.9, "images": 4, "confidence": 0.85, "accuracy": 0.75}]
        >>> part = {"bins": bins, "ece": 0.1}
        >>> len(reliability_figure({"before": part, "after": part, "temperature": 1.5}).axes)
        4
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6, 4), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, height_ratios=[3.2, 1])
    titles = ("As the network gives them", f"Divided by the temperature {calibration['temperature']:.2f}")
    for column, (part, title) in enumerate(zip(("before", "after"), titles, strict=True)):
        above, below = grid[0][column], grid[1][column]
        _diagram(above, calibration[part])
        above.set_title(title)
        bins = calibration[part]["bins"]
        middle = [(row["low"] + row["high"]) / 2 for row in bins]
        width = [0.9 * (row["high"] - row["low"]) for row in bins]
        below.bar(middle, [row["images"] for row in bins], width, color=RULE)
        below.set_xlabel("Stated confidence")
    grid[0][0].set_ylabel("Accuracy")
    grid[1][0].set_ylabel("Images")
    return figure


def _diagram(axes: Axes, part: Mapping[str, Any]) -> None:
    bins = part["bins"]
    stated, true = ([row[key] for row in bins] for key in ("confidence", "accuracy"))
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    for x, y in zip(stated, true, strict=True):
        axes.plot([x, x], [x, y], color=SERIES[1], linewidth=1.2, alpha=0.6)
    axes.plot(stated, true, color=SERIES[0], marker="o", markersize=4, linewidth=1.2)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    axes.grid(True)
    words = f"calibration error {part['ece']:.3f}"
    axes.text(0.97, 0.05, words, transform=axes.transAxes, fontsize=8.5, color=INK, ha="right")


@styled
def risk_coverage_figure(abstention: Mapping[str, Any]) -> Figure:
    """Return the share of errors among the images kept, when the least confident ones are left out.

    Args:
        abstention: `coverage`, `risk`, `low`, `high`, and where a threshold was chosen `test`, as in `evidence.json`.

    Returns:
        A figure that belongs to no window.

    Example:
        >>> curve = {"coverage": [0, 1], "risk": [0, 0.2], "low": [0, 0.1], "high": [0, 0.3], "threshold": None}
        >>> risk_coverage_figure(curve).axes[0].get_xlabel()
        'Share of images kept'
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(4.6, 3), layout="constrained")
    axes = figure.add_subplot()
    x, risk, low, high = (np.asarray(abstention[key], dtype=float) for key in ("coverage", "risk", "low", "high"))
    axes.fill_between(x, low, high, color=SERIES[0], alpha=0.18, linewidth=0)
    axes.plot(x, risk, color=SERIES[0])
    if abstention["threshold"] is not None and abstention["test"]["accuracy"]["value"] is not None:
        point = abstention["test"]
        kept, error = point["coverage"]["value"], 1 - point["accuracy"]["value"]
        axes.plot(kept, error, marker="o", markersize=9, markerfacecolor="none", color=SERIES[1], markeredgewidth=1.6)
        axes.annotate(
            "chosen on validation",
            (kept, error),
            (-6 if kept > 0.5 else 8, 14),
            textcoords="offset points",
            ha="right" if kept > 0.5 else "left",
            fontsize=8.5,
            color=SERIES[1],
        )
    axes.set(xlim=(0, 1.02), xlabel="Share of images kept", ylabel="Errors among them")
    axes.set_ylim(0, max(0.05, 1.15 * float(np.nanmax(high)) if not np.isnan(high).all() else 0.05))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.grid(True)
    return figure
