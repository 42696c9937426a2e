"""One page about two runs on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import atomic_path
from .page_template import page_template
from .page_text import FIGURES, FILTERS, FURTHER
from .picture import embed
from .style import MUTED, SERIES, styled
from .traced import Traced

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {**FIGURES, **FURTHER}


def write_comparison(path: str | Path, content: Mapping[str, Any]) -> Path:
    """Write the page of a comparison; style and picture are inside it.

    Args:
        path: where it shall stand; an earlier one is replaced.
        content: the content of `comparison.json`: what `compare_predictions` returned, with `first` and `second`, the
            names of the two.

    Returns:
        The path.

    Raises:
        OSError: the page cannot be written.

    Example:
        >>> write_comparison.__name__
        'write_comparison'
    """
    path = Path(path)
    signed = {**FILTERS, "signed": lambda value: "undefined" if value is None else f"{value:+.3f}", "p": _p_value}
    page = page_template(__package__, "comparison.html.j2", signed).render(
        n=Traced(content, signed), content=content, names=NAMES, picture=embed(differences_figure(content))
    )
    with atomic_path(path) as draft:
        draft.write_text(page, encoding="utf-8", errors="replace")
    return path


@styled
def differences_figure(content: Mapping[str, Any]) -> Figure:
    """Return the differences with their intervals, one line a figure, the better side to the right.

    Args:
        content: as for `write_comparison`.

    Returns:
        A figure that belongs to no window.

    Example:
        >>> row = {"difference": {"value": 0.1, "low": 0.05, "high": 0.2}, "lower_is_better": False}
        >>> content = {"first": "a", "second": "b", "figures": {"auc": row}}
        >>> differences_figure(content).axes[0].get_yticklabels()[0].get_text()
        'AUC'
    """
    from matplotlib.figure import Figure

    shown = {
        key: row
        for key, row in content["figures"].items()
        if row["difference"]["low"] is not None and key != "log_loss"  # which has another scale
    }
    figure = Figure(figsize=(6.4, 0.27 * max(len(shown), 1) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(0, color=MUTED, linewidth=1, linestyle=":")
    for place, row in enumerate(shown.values()):
        sign = -1 if row["lower_is_better"] else 1
        low, value, high = (sign * row["difference"][edge] for edge in ("low", "value", "high"))
        colour = MUTED if min(low, high) <= 0 <= max(low, high) else SERIES[0 if value > 0 else 1]
        axes.plot([low, high], [place, place], color=colour, linewidth=1.8)
        axes.plot(value, place, marker="o", markersize=5, color=colour)
    axes.set_yticks(range(len(shown)), [NAMES[key].replace(" (lower is better)", "") for key in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"Advantage of {content['second']}")
    axes.grid(axis="x")
    return figure


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
