"""Marks of an image's look: a perceptual hash, a tiny copy to compare, and a small one to show."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

TINY = 16
"""Side of the copy that decides whether two images are alike."""
PREVIEW = 96
"""Longer side of the copy for the page."""


def perceptual_hash(grey: Image.Image) -> int:
    """Returns 64 bits that stay nearly the same when a picture is resized, recompressed or made brighter.

    Source: the usual hash by cosine transform: of the 32 by 32 copy, the 8 by 8 lowest frequencies without the mean,
    each compared with their median.

    Args:
        grey: The picture, mode L or F.

    Returns:
        The bits as a whole number.

    Example:
        >>> picture = Image.linear_gradient("L")
        >>> perceptual_hash(picture) == perceptual_hash(picture.resize((100, 100)))
        True
    """
    small = np.asarray(grey.resize((32, 32), Image.Resampling.BOX), dtype=np.float64)
    rows = _cosines()
    low = (rows @ small @ rows.T).reshape(-1)
    bits = np.where(np.abs(low) < 1e-6 * np.abs(low).max(initial=1e-300), 0, low) > np.median(low[1:])
    bits[0] = False
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def tiny_copy(grey: Image.Image) -> bytes:
    """Returns the picture as 16 by 16 bytes, stretched from its darkest to its brightest."""
    small = np.asarray(grey.resize((TINY, TINY), Image.Resampling.BOX), dtype=np.float64)
    spread = float(np.ptp(small))
    return (np.zeros(small.shape) if spread == 0 else (small - small.min()) / spread * 255).astype(np.uint8).tobytes()


def preview(picture: np.ndarray) -> bytes:
    """Returns a small JPEG file to show.

    Args:
        picture: (H, W) or (H, W, 3), uint8.

    Returns:
        The file, its longer side 96 pixels or less.
    """
    image = Image.fromarray(picture)
    image.thumbnail((PREVIEW, PREVIEW), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


@cache
def _cosines() -> np.ndarray:
    """Returns the 8 lowest of the 32 rows of the cosine transform (DCT-II), (8, 32)."""
    frequency, place = np.arange(8)[:, None], np.arange(32)[None]
    return np.cos(np.pi * frequency * (2 * place + 1) / 64)
