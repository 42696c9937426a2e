"""Pictures of robustness: accuracy over severity, and what the severities look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..visualize.style import MUTED, RULE, SERIES, styled
from .corruptions import CORRUPTIONS, SEVERITIES, corrupt
from .measure import Robustness

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["corruption_figure", "robustness_figure"]

_COLUMNS = 3


@styled
def robustness_figure(measured: Robustness) -> Figure:
    """Returns one curve of accuracy over severity for each corruption, with its 95 % interval.

    Args:
        measured: From ``measure_robustness``.

    Returns:
        A figure that belongs to no window.

    Example:
        >>> import torch
        >>> from .measure import RobustnessRow
        >>> rows = [RobustnessRow("noise", s, None, 1 - s / 10, 0.5, 1.0, 1.0, 1.0, 0.9) for s in range(6)]
        >>> len(robustness_figure(Robustness(9, 0, rows, torch.zeros(3, 2, 2))).axes)
        1
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    names = list(dict.fromkeys(row.corruption for row in measured.rows))
    columns = min(_COLUMNS, len(names))
    lines = -(-len(names) // columns)
    figure = Figure(figsize=(2.9 * columns + 0.5, 2.25 * lines + 0.3), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in grid[len(names) :]:
        axes.remove()
    lowest = min(row.low for row in measured.rows)
    for place, (axes, name) in enumerate(zip(grid, names, strict=False)):
        rows = [row for row in measured.rows if row.corruption == name]
        severities = [row.severity for row in rows]
        axes.axhline(rows[0].accuracy, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.fill_between(
            severities, [row.low for row in rows], [row.high for row in rows], color=SERIES[0], alpha=0.15, linewidth=0
        )
        axes.plot(severities, [row.accuracy for row in rows], color=SERIES[0], marker="o", markersize=4)
        axes.set_title(CORRUPTIONS[name].title, fontsize=9.5)
        axes.set_xticks(range(SEVERITIES + 1), ["clean", *map(str, range(1, SEVERITIES + 1))])
        axes.set_ylim(max(0.0, lowest - 0.05), 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="y", color=RULE)
        axes.tick_params(length=0, labelbottom=place + columns >= len(names))
    figure.supxlabel("Severity", fontsize=9, color=MUTED)
    figure.supylabel("Accuracy", fontsize=9, color=MUTED)
    return figure


@styled
def corruption_figure(measured: Robustness, severities: Sequence[int] = (0, 1, 3, 5)) -> Figure:
    """Returns one image under every measured corruption, as the network sees it.

    Args:
        measured: From ``measure_robustness``.
        severities: One column each.

    Returns:
        A figure that belongs to no window.

    Example:
        >>> import torch
        >>> from .measure import RobustnessRow
        >>> rows = [RobustnessRow("blur", 0, None, 1.0, 0.5, 1.0, 1.0, 1.0, 0.9)]
        >>> len(corruption_figure(Robustness(9, 0, rows, torch.rand(3, 32, 32))).axes)
        4
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row.corruption for row in measured.rows))
    figure = Figure(figsize=(1.25 * len(names) + 0.8, 1.25 * len(severities) + 0.3), layout="constrained")
    grid = figure.subplots(len(severities), len(names), squeeze=False)
    for line, severity in zip(grid, severities, strict=True):
        for axes, name in zip(line, names, strict=True):
            picture = corrupt(measured.example, name, severity, measured.seed)
            axes.imshow(picture.movedim(0, -1).numpy(), interpolation="nearest")
            _bare(axes)
        line[0].set_ylabel(f"severity {severity}" if severity else "clean", fontsize=8)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(CORRUPTIONS[name].title, fontsize=7.5, fontweight="normal", loc="center")
    return figure


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
