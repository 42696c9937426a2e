"""The course of a training as a picture: loss, validation figures, learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .style import INK, MUTED, SERIES, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEY_METRICS = ("val_auc", "val_accuracy", "val_balanced_accuracy", "val_f1", "val_loss")
LOSSES = ("train_loss", "val_loss")
ACRONYMS = {"auc": "AUC", "f1": "F1"}
MOST_MARKED_EPOCHS = 30
MOST_LINES_BESIDE_LEGEND = 3
RING: dict[str, Any] = {"marker": "o", "markersize": 10, "markerfacecolor": "none", "markeredgewidth": 1.5}


@styled
def training_curves_figure(history: Mapping[str, Sequence[float]], key_metric: str | None = None) -> Figure:
    """Return one panel each for the losses, the validation figures and the learning rate, over the epochs.

    A panel appears when the history has a column for it. The best epoch is a dotted line through all panels; the panel
    that holds the deciding column names it in the title and rings the value.

    Args:
        history: column name to one number an epoch, NaN where an epoch has none. Read are `epoch` (counted from 1
            when absent), `train_loss`, `learning_rate`, `val_loss` and every other column that begins with `val_`.
        key_metric: the column that decides the best epoch: the lowest value of a loss, the highest of any other. None
            takes the first present of val_auc, val_accuracy, val_balanced_accuracy, val_f1 and val_loss.

    Returns:
        A figure that belongs to no window.

    Raises:
        ValueError: when there is no epoch, no column to draw, columns differ in length, or `key_metric` is no column.

    Example:
        >>> figure = training_curves_figure({"train_loss": [1.0, 0.5], "val_auc": [0.7, 0.9]})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['Loss', 'Validation (best: epoch 2)']
    """
    from matplotlib.figure import Figure

    columns = _checked(history, key_metric)
    epochs = columns.get("epoch", np.arange(1, len(next(iter(columns.values()))) + 1))
    validation = [name for name in columns if name.startswith("val_") and name != "val_loss"]
    panels = {
        "Loss": [name for name in LOSSES if name in columns],
        "Validation": validation,
        "Learning rate": ["learning_rate"] if "learning_rate" in columns else [],
    }
    panels = {title: names for title, names in panels.items() if names}
    if not panels:
        raise ValueError(f"the history has no train_loss, learning_rate or val_... column, only {list(columns)}")
    key_metric = key_metric or next((name for name in KEY_METRICS if name in columns), None)
    best = best_epoch(columns, key_metric) if key_metric else None

    figure = Figure(figsize=(3.4 * len(panels), 2.9 + 0.1 * len(validation)), layout="constrained")
    figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr,call-arg]
    for axes, (title, names) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        _draw(axes, epochs, {name: columns[name] for name in names}, best)
        if best is not None and key_metric in names:
            colour = axes.get_lines()[names.index(key_metric)].get_color()
            axes.plot(epochs[best], columns[key_metric][best], markeredgecolor=colour, **RING)
            title += f" (best: epoch {epochs[best]:g})"
        axes.set_title(title)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    return figure


def best_epoch(columns: Mapping[str, npt.ArrayLike], key_metric: str) -> int | None:
    """Return the position of the best epoch: the lowest loss or the highest other figure, the first of equals.

    Args:
        columns: column name to one number an epoch.
        key_metric: the deciding column; a name that ends in `loss` is better when lower.

    Returns:
        An index into the column, of equals the last, as checkpoints are kept; or None when it holds no number.

    Example:
        >>> best_epoch({"val_loss": [0.9, 0.4, 0.6]}, "val_loss")
        1
    """
    values = np.asarray(columns[key_metric], dtype=np.float64)
    if np.isnan(values).all():
        return None
    best = np.nanmin(values) if key_metric.endswith("loss") else np.nanmax(values)
    return int(np.flatnonzero(values == best)[-1])


def display_name(column: str) -> str:
    """Return a column's name as a reader says it.

    Args:
        column: name of a column of the history.

    Returns:
        The name without its `val_`, words apart, acronyms in capitals.

    Example:
        >>> display_name("val_auc"), display_name("val_balanced_accuracy")
        ('AUC', 'balanced accuracy')
    """
    return " ".join(ACRONYMS.get(word, word) for word in column.removeprefix("val_").split("_"))


def _draw(axes: Axes, epochs: npt.NDArray, lines: Mapping[str, npt.NDArray], best: int | None) -> None:
    from matplotlib.ticker import MaxNLocator

    few = len(epochs) <= MOST_MARKED_EPOCHS
    for position, (name, values) in enumerate(lines.items()):
        label = {"train_loss": "training", "val_loss": "validation"}.get(name, display_name(name))
        known = ~np.isnan(values)
        axes.plot(
            epochs[known],
            values[known],
            color=SERIES[position % len(SERIES)],
            linestyle=("-", "--", ":")[position // len(SERIES) % 3],
            marker="o" if few else None,
            markersize=3,
            label=label,
        )
    if best is not None:
        axes.axvline(epochs[best], color=MUTED, linestyle=":", linewidth=1.2, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y")
    axes.set_xlabel("Epoch", color=INK)
    if len(lines) > 1:
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17), "ncols": 2}
        axes.legend(**(below if len(lines) > MOST_LINES_BESIDE_LEGEND else {"loc": "best"}))


def _checked(history: Mapping[str, Sequence[float]], key_metric: str | None) -> dict[str, npt.NDArray[np.float64]]:
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in history.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"expected as many epochs in every column of the history, got {lengths}")
    if not lengths or not max(lengths.values()):
        raise ValueError("the history holds no epoch; train for one at least")
    if key_metric is not None and key_metric not in columns:
        raise ValueError(f"key_metric {key_metric!r} is no column of the history: {list(columns)}")
    return columns
