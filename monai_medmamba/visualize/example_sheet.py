"""Which predictions the report shows, and the sheet of their images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .examples import examples_figure
from .page_text import base_names
from .picture import Picture, embed
from .run_files import Prediction
from .style import shorten

if TYPE_CHECKING:
    import numpy as np

THUMBNAIL = 256  # pixels, longer side


@dataclass(frozen=True)
class Sheet:
    """Example images as one picture.

    Args:
        picture: the grid of images, None when there is none to show.
        shown: number of images in it.
        unreadable: base names of the images that could not be read.

    Example:
        >>> draw_sheet([Prediction("folder/gone.png", "polyp", "polyp", 0.9)], 10, Path("run"))
        Sheet(picture=None, shown=0, unreadable=['gone.png'])
    """

    picture: Picture | None
    shown: int
    unreadable: list[str]


def one_class_after_another(predictions: Iterable[Prediction]) -> list[Prediction]:
    """Return the predictions in rounds: the first of every class, then the second of every class, and so on.

    Args:
        predictions: predictions with known truth, in any order.

    Returns:
        The same predictions; classes in the order of their names within a round.

    Example:
        >>> both = [Prediction(name, name[0], name[0], 0.9) for name in ("a1", "a2", "b1")]
        >>> [prediction.image for prediction in one_class_after_another(both)]
        ['a1', 'b1', 'a2']
    """
    seen: dict[str, int] = {}
    rounds = []
    for prediction in predictions:
        seen[prediction.label] = seen.get(prediction.label, 0) + 1
        rounds.append((seen[prediction.label], prediction.label, prediction))
    return [entry[-1] for entry in sorted(rounds, key=lambda entry: entry[:2])]


def draw_sheet(predictions: Iterable[Prediction], most: int, run_dir: Path) -> Sheet:
    """Return a sheet of the first predictions whose images can be read.

    Args:
        predictions: predictions with known truth, the most interesting first.
        most: number of images that fill the sheet; as many unreadable ones end the search.
        run_dir: folder in which relative image paths are looked up that do not exist from the working directory.

    Returns:
        The sheet. Its titles hold the truth, the prediction with its probability and the base name of the file.

    Example:
        >>> draw_sheet([], 10, Path("run")).shown
        0
    """
    images: list[np.ndarray] = []
    titles: list[str] = []
    flags: list[bool] = []
    unreadable: list[str] = []
    for prediction in predictions:
        if most in (len(images), len(unreadable)):
            break
        name = base_names(prediction.image)
        image = _thumbnail(prediction.image, run_dir)
        if image is None:
            unreadable.append(name)
            continue
        verdict = "correct" if prediction.correct else f"as {shorten(prediction.prediction, 22)}"
        images.append(image)
        titles.append(f"{shorten(prediction.label, 24)}\n{verdict}, {prediction.confidence:.0%}\n{shorten(name, 24)}")
        flags.append(prediction.correct)
    picture = embed(examples_figure(images, titles, flags)) if images else None
    return Sheet(picture, len(images), unreadable)


def _thumbnail(image: str, run_dir: Path) -> np.ndarray | None:
    """Return a small RGB copy, uint8 (H, W, 3), upright, transparency ignored; None when the file cannot be read."""
    import numpy as np
    from PIL import Image, ImageOps

    path = Path(image)
    try:
        with Image.open(path if path.exists() else run_dir / path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
                values = np.asarray(picture, dtype=np.float64)
                spread = max(float(np.ptp(values)), 1e-12)
                picture = Image.fromarray(np.uint8(255 * (values - values.min()) / spread))
            picture.thumbnail((THUMBNAIL, THUMBNAIL))
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
