"""A map of what counts as a picture to lay over an image: clear where nothing counts."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

__all__ = ["heat_png"]

# Blue, green, yellow: apart from the reds of tissue as from the greys of a radiograph, also for the colour-blind.
_COLOURS = np.array([(59, 82, 139), (33, 160, 140), (253, 231, 37)], dtype=np.float32)


def heat_png(heat: NDArray[np.float32]) -> bytes:
    """Returns a map as the bytes of a PNG file with transparency.

    Args:
        heat: (H, W), in [0, 1].

    Returns:
        A PNG file of that size; the strongest parts are yellow and hide most.

    Example:
        >>> heat_png(np.zeros((2, 2), np.float32))[1:4]
        b'PNG'
    """
    from PIL import Image

    place = np.clip(heat, 0, 1) * (len(_COLOURS) - 1)
    low = np.minimum(place.astype(int), len(_COLOURS) - 2)
    part = (place - low)[..., None]
    colours = _COLOURS[low] * (1 - part) + _COLOURS[low + 1] * part
    opacity = 255 * np.clip(heat, 0, 1)[..., None] ** 0.7
    pixels = np.concatenate([colours, opacity], axis=2).round().astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, format="PNG")
    return stream.getvalue()
