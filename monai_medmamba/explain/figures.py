"""Pictures of explanations: a map over its image, and the directions of the scans side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..visualize.style import INK, MUTED, styled
from .activation_maps import resized

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["directions_figure", "overlay_figure"]

DIRECTIONS = (
    "rows \N{RIGHTWARDS ARROW}",
    "columns \N{DOWNWARDS ARROW}",
    "rows \N{LEFTWARDS ARROW}",
    "columns \N{UPWARDS ARROW}",
)
_HEAT, _SIGNED = "inferno", "RdBu_r"
_PANEL = 3.1  # inches
_STRONGEST = 99.5  # percentile of a map at which the colours end: one pixel does not decide how the others look


@styled
def overlay_figure(picture: NDArray[np.float32], heat: NDArray[np.float32], title: str, note: str = "") -> Figure:
    """Returns an image, and beside it the same under a heat map of what speaks for the class.

    Args:
        picture: (3, H, W), in [0, 1].
        heat: (h, w), stretched to the image's size; what is negative is left out.
        title: Line above.
        note: Smaller line under it.

    Returns:
        A figure that belongs to no window.

    Example:
        >>> len(overlay_figure(np.zeros((3, 8, 9), np.float32), np.eye(4, dtype=np.float32), "polyp").axes)
        3
    """
    import matplotlib

    rows = picture.transpose(1, 2, 0)
    share = np.clip(_stretched(np.clip(heat, 0, None), rows.shape[:2]) / _highest(np.clip(heat, 0, None)), 0, 1)
    colours = matplotlib.colormaps[_HEAT](share)[..., :3]
    strength = 0.15 + 0.6 * share[..., None]
    figure = _canvas(rows.shape[0] / rows.shape[1], 1, 2, title, note)
    axes = figure.subplots(1, 2)
    _show(axes[0], rows, "image")
    _show(axes[1], (1 - strength) * rows.mean(axis=-1, keepdims=True) + strength * colours, "speaks for the class")
    _bar(figure, axes.tolist(), _HEAT, (0, 1), {0: "none", 1: "most"})
    return figure


@styled
def directions_figure(
    picture: NDArray[np.float32], given: NDArray[np.float32], kept: NDArray[np.float32], title: str, note: str = ""
) -> Figure:
    """Returns what the four directions of the scans move, on one scale, and the whole attribution, on its own.

    Above each map stands its share in all evidence, for the class and against it; what is missing stays in place.

    Args:
        picture: (3, H, W), in [0, 1].
        given: What goes through the state of each direction, (4, h, w), signed.
        kept: What each place keeps, in each direction, likewise.
        title: Line above.
        note: Smaller line under it.

    Returns:
        A figure that belongs to no window.

    Raises:
        ValueError: There are not four directions.

    Example:
        >>> maps = np.zeros((4, 4, 4), np.float32)
        >>> len(directions_figure(np.zeros((3, 8, 9), np.float32), maps, maps, "polyp").axes)
        7
    """
    import matplotlib

    if len(given) != len(DIRECTIONS):
        raise ValueError(f"expected the maps of {len(DIRECTIONS)} directions, got {len(given)}")
    rows = picture.transpose(1, 2, 0)
    grey = rows.mean(axis=-1, keepdims=True)
    total = (given + kept).sum(axis=0)
    figure = _canvas(rows.shape[0] / rows.shape[1], 2, 3, title, note)
    axes = figure.subplots(2, 3).ravel()
    _show(axes[0], rows, "image")
    *captions, _rest = (f"{name}   {share:.1%}" for name, share in direction_shares(given, kept).items())
    panels = zip((1, 2, 4, 5, 3), (*given, total), (*captions, "sum of all, with what stays"), strict=True)
    for place, part, name in panels:
        scale = total if part is total else given
        value = np.clip(_stretched(part, rows.shape[:2]) / _highest(np.abs(scale)), -1, 1)
        colours = matplotlib.colormaps[_SIGNED]((value + 1) / 2)[..., :3]
        strength = 0.3 + 0.6 * np.abs(value[..., None])
        _show(axes[place], (1 - strength) * (0.35 + 0.5 * grey) + strength * colours, name)
    _bar(figure, axes.tolist(), _SIGNED, (-1, 1), {-1: "against", 0: "neither", 1: "for the class"})
    return figure


def direction_shares(given: NDArray[np.float32], kept: NDArray[np.float32]) -> dict[str, float]:
    """Returns how much evidence each direction moves, and how much stays: sums of absolute values, as shares."""
    amounts = np.abs(np.concatenate([given, kept.sum(axis=0, keepdims=True)])).sum(axis=(1, 2), dtype=np.float64)
    return dict(zip((*DIRECTIONS, "in place"), (amounts / (amounts.sum() or 1.0)).tolist(), strict=True))


def _canvas(shape: float, rows: int, columns: int, title: str, note: str) -> Figure:
    """Returns an empty figure for panels of a height-to-width ratio, with its titles."""
    from matplotlib.figure import Figure

    height = _PANEL * float(np.clip(shape, 0.4, 2))
    figure = Figure(figsize=(_PANEL * columns + 1.1, (height + 0.3) * rows + 0.6), layout="constrained")
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    figure.text(0.01, 1 - 0.3 / figure.get_figheight(), note, ha="left", va="top", fontsize=8.5, color=MUTED)
    return figure


def _show(axes: Axes, rows: NDArray[np.float32], title: str) -> None:
    axes.imshow(np.clip(rows, 0, 1), interpolation="nearest")
    axes.set_title(title, fontsize=9, fontweight="normal", color=INK)
    axes.set_axis_off()


def _bar(figure: Figure, axes: list[Axes], colours: str, ends: tuple[float, float], ticks: dict[float, str]) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = figure.colorbar(ScalarMappable(Normalize(*ends), colours), ax=axes, shrink=0.7, aspect=28, pad=0.015)
    bar.set_ticks(list(ticks), labels=list(ticks.values()))
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)


def _highest(values: NDArray[np.float32]) -> float:
    """Returns where the colours of a map end, above 0."""
    return float(np.percentile(values, _STRONGEST)) or float(values.max()) or 1.0


def _stretched(heat: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns a map at the size of the image, smoothly."""
    import torch

    return resized(torch.from_numpy(np.ascontiguousarray(heat, np.float32))[None, None], size)[0, 0].numpy()
