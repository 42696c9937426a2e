"""Looks over the measurements for images that stand out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from .item import Remark
from .measure import Measurement

TINY, NARROW, DARK, CLIPPED = 16, 4.0, 0.05, 0.5
FAINT = 0.01
"""Standard deviation, as a share of full scale."""
FAR = 6.0
"""Robust standard deviations from the median from which a brightness is unusual."""
ODD_SIZE = 3.0
"""Times the median length of a side, or its inverse."""
FEW = 0.1
"""A way of storing pixels that fewer images share is unlike the others."""
ENOUGH = 10
"""Below this number of images nothing is unusual."""


def suspicions(measured: Mapping[str, Measurement]) -> list[Remark]:
    """Returns what is odd about single images, by themselves or beside the others.

    Args:
        measured: Measurements by path.

    Returns:
        Remarks, in the order of the images for each check.
    """
    remarks = []
    for path, m in measured.items():
        remarks += [Remark(code, path, detail.strip()) for code, _, detail in (f.partition(":") for f in m.flags)]
        remarks += [Remark(code, path, detail) for code, detail in _alone(m)]
    return remarks + _odd_sizes(measured) + _odd_brightness(measured) + _odd_modes(measured)


def _alone(m: Measurement) -> list[tuple[str, str]]:
    short, long = sorted((m.width, m.height))
    size = f"{m.width} x {m.height}"
    if m.low == m.high:
        return [("constant", f"{m.low:g}")]
    found = []
    if m.unit and max(m.std) < FAINT:
        found.append(("faint", f"standard deviation {max(m.std):.4f}"))
    if short < TINY:
        found.append(("tiny", size))
    if long > NARROW * short:
        found.append(("narrow", size))
    if m.share < DARK:
        found.append(("dark", f"{m.share:.1%}"))
    if m.clipped > CLIPPED:
        found.append(("clipped", f"{m.clipped:.0%}"))
    return found


def _odd_sizes(measured: Mapping[str, Measurement]) -> list[Remark]:
    if len(measured) < ENOUGH:
        return []
    sides = {path: float(np.sqrt(m.width * m.height)) for path, m in measured.items()}
    median = float(np.median(list(sides.values())))
    odd = [path for path, side in sides.items() if not median / ODD_SIZE <= side <= median * ODD_SIZE]
    return [Remark("odd_size", path, f"{measured[path].width} x {measured[path].height}") for path in odd]


def _odd_brightness(measured: Mapping[str, Measurement]) -> list[Remark]:
    remarks = []
    by_unit: dict[tuple[bool, str], dict[str, float]] = defaultdict(dict)
    for path, m in measured.items():
        by_unit[m.unit, "" if m.unit else m.tags.get("modality") or ""][path] = float(np.mean(m.view_mean))
    for means in by_unit.values():
        if len(means) < ENOUGH:
            continue
        values = np.array(list(means.values()))
        median = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - median)))  # of a normal distribution: its standard deviation
        if spread > 0:
            far = [path for path, value in means.items() if abs(value - median) > FAR * spread]
            remarks += [Remark("odd_brightness", p, f"mean {means[p]:.4g}, median of all {median:.4g}") for p in far]
    return remarks


def storage_of(m: Measurement) -> str:
    """Returns how an image is stored, as far as a network could see it: channels and bits."""
    colour = "colour" if m.colour else "grey in three channels" if m.channels == 3 else "grey"
    return f"{colour} of {m.bits} bits"


def _odd_modes(measured: Mapping[str, Measurement]) -> list[Remark]:
    if len(measured) < ENOUGH:
        return []
    ways = {path: f"{storage_of(m)} ({m.mode})" for path, m in measured.items()}
    counts = Counter(ways.values())
    return [Remark("odd_mode", path, way) for path, way in ways.items() if counts[way] < FEW * len(measured)]
