"""Pictures of a fingerprint: classes, sizes and grey values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..visualize.style import INK, MUTED, SERIES, shorten, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 8.6  # inches, most of the page's column
MOST_CLASSES = 40
MOST_DOTS = 400  # square points, of the largest dot


@styled
def classes_figure(classes: Sequence[Mapping[str, Any]]) -> Figure:
    """Return bars of the number of images of each class, parted by split.

    Args:
        classes: the entries of ``labels.classes``.

    Returns:
        A figure that belongs to no window; of more than 40 classes it shows the largest.
    """
    from matplotlib.figure import Figure

    shown = sorted(classes, key=lambda entry: -entry["images"])[:MOST_CLASSES]
    splits = [
        split
        for split in ("training", "validation", "test", "unsplit")
        if any(entry["by_split"].get(split) for entry in shown)
    ]
    figure = Figure(figsize=(WIDTH, 0.32 * len(shown) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    left = np.zeros(len(shown))
    for split, colour in zip(splits, SERIES, strict=False):
        counts = np.array([entry["by_split"].get(split, 0) for entry in shown])
        axes.barh(range(len(shown)), counts, left=left, color=colour, height=0.7, label=split)
        left += counts
    for row, entry in enumerate(shown):
        axes.text(left[row], row, f"  {entry['images']}  ({entry['share']:.1%})", va="center", fontsize=8.5)
    axes.set_yticks(range(len(shown)), [shorten(entry["name"], 30) for entry in shown])
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.0, float(left.max())) * 1.18)
    axes.set_xlabel("Images")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if splits != ["unsplit"]:
        axes.legend(loc="lower right", ncols=len(splits), bbox_to_anchor=(1, 1))
    return figure


@styled
def sizes_figure(widths: Sequence[int], heights: Sequence[int]) -> Figure:
    """Return a scatter of widths and heights, a dot a size, its area by the number of images.

    Args:
        widths: width of each image, in pixels.
        heights: height of each image.

    Returns:
        A figure that belongs to no window.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    pairs, counts = np.unique(np.stack([widths, heights], axis=1), axis=0, return_counts=True)
    figure = Figure(figsize=(4.1, 3.5), layout="constrained")
    axes = figure.add_subplot()
    area = np.maximum(MOST_DOTS * counts / counts.max(), 12)
    ends = np.array([pairs.min() * 0.8, pairs.max() * 1.15])
    axes.plot(ends, ends, color=MUTED, linewidth=0.8, linestyle=":", zorder=0)
    axes.scatter(pairs[:, 0], pairs[:, 1], s=area, color=SERIES[0], alpha=0.45, linewidth=0)
    if len(pairs) == 1:
        width, height = pairs[0]
        axes.annotate(f"{width} x {height}", pairs[0], xytext=(16, -3), textcoords="offset points", color=INK)
    if pairs.max() > 8 * pairs.min():
        for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
            scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
            axis.set_minor_formatter(NullFormatter())
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel("Width, pixels")
    axes.set_ylabel("Height, pixels")
    return figure


@styled
def values_figure(group: Mapping[str, Any]) -> Figure:
    """Return the histogram of grey values inside the field of view, each image counting alike.

    Args:
        group: an entry of ``intensity``.

    Returns:
        A figure that belongs to no window.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    histogram = group["histogram"]
    shares = np.array(histogram["shares"])
    edges = np.linspace(histogram["from"], histogram["to"], len(shares) + 1)
    figure = Figure(figsize=(4.3, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.stairs(shares, edges, fill=True, color=SERIES[0], alpha=0.75)
    axes.set_xlim(edges[0], edges[-1])
    own = f"{group['modality'] or ''} in units of the files".strip()
    axes.set_xlabel(f"Grey value, {'black 0 to white 1' if group['scale'] == '0 to 1' else own}")
    axes.set_ylabel("Share of the field of view")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0 if shares.max() > 0.04 else 1))
    return figure
