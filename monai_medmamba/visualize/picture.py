"""Figures as PNG bytes, and as pictures that live inside a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH, PIXELS_PER_INCH = 180, 100  # figures are drawn finer than they stand on the page


@dataclass(frozen=True)
class Picture:
    """A picture inside a page.

    Args:
        source: data URL of a PNG file.
        width: width on the page in CSS pixels.

    Example:
        >>> Picture("data:image/png;base64,", 640).width
        640
    """

    source: str
    width: int


def embed(figure: Figure) -> Picture:
    """Return the figure as a picture a page can hold, sharp on a screen of high density.

    Args:
        figure: the figure to render.

    Returns:
        The picture, 100 CSS pixels to the inch of the figure.

    Example:
        >>> from matplotlib.figure import Figure
        >>> embed(Figure(figsize=(2, 1))).source[:22]
        'data:image/png;base64,'
    """
    data = png(figure)
    width = int.from_bytes(data[16:20], "big")  # of the header chunk that begins every PNG file
    source = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return Picture(source, width * PIXELS_PER_INCH // DOTS_PER_INCH)


def png(figure: Figure, dots_per_inch: int = DOTS_PER_INCH) -> bytes:
    """Return the figure as the bytes of a PNG file, without the empty paper around it.

    Args:
        figure: the figure to render.
        dots_per_inch: resolution; the default stays sharp on a screen of twice the usual density.

    Returns:
        A PNG file.

    Example:
        >>> from matplotlib.figure import Figure
        >>> png(Figure(figsize=(1, 1)))[1:4]
        b'PNG'
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch, facecolor="white", bbox_inches="tight", pad_inches=0.06)
    return buffer.getvalue()
