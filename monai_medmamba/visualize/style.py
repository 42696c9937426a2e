"""The look all figures share: type, lines and colours that stay apart for colour-blind readers and in print."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#6b7785"
RULE = "#d5dbe1"
# Okabe and Ito's palette, without its yellow, which is lost on white paper; the order keeps neighbours far apart.
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CORRECT = "#0072B2"
WRONG = "#D55E00"
# Paper grey to dark blue: darkness alone carries the value, steeply at first, because small shares are errors.
SEQUENTIAL = ("#f3f5f7", "#a9cce3", "#6aa8d0", "#3583b8", "#0b5c92", "#073b5e")

# DejaVu Sans comes with matplotlib; class names in scripts it lacks take the first of the others that is installed.
FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC", "Arial Unicode MS")

_SETTINGS: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "white",
}

P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a function that draws a figure under the shared settings, leaving matplotlib's own as they were.

    Args:
        draw: function that returns a figure.

    Returns:
        A function of the same arguments.

    Example:
        >>> from matplotlib.figure import Figure
        >>> styled(lambda: Figure())().get_axes()
        []
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib
        from matplotlib.font_manager import get_font_names

        installed = set(get_font_names())
        with matplotlib.rc_context({**_SETTINGS, "font.family": [name for name in FONTS if name in installed]}):
            return draw(*args, **kwargs)

    return drawn


def shorten(text: str, most: int) -> str:
    """Return the text with its middle left out where it is longer than a figure has room for.

    Bytes of a file name that are no text come out as question marks, because no font can draw them.

    Args:
        text: a class or file name.
        most: longest allowed length in characters, at least 3.

    Returns:
        At most `most` characters.

    Example:
        >>> shorten("dyed-resection-margins", 12)
        'dyed-r…rgins'
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[len(text) - (most - head - 1) :]}"
