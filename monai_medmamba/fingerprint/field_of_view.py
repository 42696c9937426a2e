"""Where a picture shows something: the field of view inside a dark surround."""

from __future__ import annotations

import numpy as np

THRESHOLD = 0.04
"""Of the way from the darkest value to the bright ones (99.5 %): 10 of 255 for a picture that uses its full range."""


def field_of_view(grey: np.ndarray) -> np.ndarray:
    """Tells which pixels lie inside the field of view.

    A pixel is bright where its value is above 4 % of the way from 0 (from the lowest value, where that is negative) to
    the value that 99.5 % of the pixels do not exceed. A pixel is inside if, along every axis, it is bright or lies
    between bright pixels: so a dark lumen in the middle belongs to the picture, and a black surround does not. An
    image without a bright pixel is inside as a whole.

    Args:
        grey: (H, W) or (D, H, W), high is white.

    Returns:
        Booleans of the same shape.

    Example:
        >>> picture = np.zeros((5, 5))
        >>> picture[1:4, 1:4] = [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
        >>> int(field_of_view(picture).sum())
        9
    """
    low = min(0.0, float(grey.min()))
    bright = grey > low + THRESHOLD * (_high(grey) - low)
    if not bright.any():
        return np.ones(grey.shape, dtype=bool)
    inside = np.ones(grey.shape, dtype=bool)
    for axis in range(grey.ndim):
        before = np.logical_or.accumulate(bright, axis=axis)
        behind = np.flip(np.logical_or.accumulate(np.flip(bright, axis), axis=axis), axis)
        inside &= before & behind
    return inside


def _high(grey: np.ndarray) -> float:
    if grey.dtype == np.uint8:
        counts = np.bincount(grey.reshape(-1), minlength=256).cumsum()
        return float(np.searchsorted(counts, 0.995 * counts[-1]))
    return float(np.quantile(grey, 0.995))
