"""Reads png, jpg, bmp and tif files as ``decode_rgb`` does, and keeps what it knows about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..picture_formats import FORMATS, MAX_PIXELS
from ..transforms import ImageReadError, decode_rgb
from ..transforms.decode_rgb import BITS_PER_SAMPLE, DECODE_ERRORS
from .decoded import Decoded, UnreadableError

SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "MPO": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
}
ORIENTATION = 0x0112  # EXIF tag


def read_picture(path: Path) -> Decoded:
    """Reads a picture.

    Args:
        path: The file.

    Returns:
        Values as training sees them: 8-bit pictures as they are, grey or RGB; all others in [0, 1].

    Raises:
        UnreadableError: ``decode_rgb`` refuses the file.
    """
    try:
        with path.open("rb") as stream, Image.open(stream, formats=FORMATS) as picture:
            if _is_plain(picture):
                picture.load()
                return _decoded(path, picture, np.asarray(_to_grey_or_rgb(picture)), 8, 255.0)
            bits = getattr(picture, "tag_v2", {}).get(BITS_PER_SAMPLE, (16,))[0]
            rows = decode_rgb(path).transpose(1, 2, 0)  # knows 16 bits, floats and pages
            return _decoded(path, picture, rows[..., 0], 32 if picture.mode == "F" else bits, 1.0)
    except ImageReadError as error:
        raise UnreadableError(error.found, error.cure) from error
    except DECODE_ERRORS as error:
        raise _explain(path, error) from error


def _is_plain(picture: Image.Image) -> bool:
    """Tells whether eight bits or fewer hold a channel, and nothing speaks against decoding it here."""
    wide = picture.mode == "F" or picture.mode.startswith("I")
    pages = getattr(picture, "n_frames", 1)
    return not wide and picture.width * picture.height <= MAX_PIXELS and (pages == 1 or picture.format == "MPO")


def _to_grey_or_rgb(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture)
    if upright.has_transparency_data:
        layers = upright.convert("RGBA")
        black = Image.new("RGBA", layers.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, layers).convert("RGB")
    return upright.convert("L" if upright.mode in ("1", "L") else "RGB")


def _decoded(path: Path, picture: Image.Image, values: np.ndarray, bits: int, full_scale: float) -> Decoded:
    name = picture.format or ""
    flags = []
    if not path.name.lower().endswith(SUFFIXES.get(name, ())):
        flags.append(f"wrong_suffix: its content is {name}")
    if picture.getexif().get(ORIENTATION, 1) != 1:
        flags.append("turned")
    if picture.has_transparency_data:
        flags.append("transparent")
    return Decoded(values, False, "JPEG" if name == "MPO" else name, picture.mode, bits, full_scale, flags=tuple(flags))


def _explain(path: Path, error: BaseException) -> UnreadableError:
    """Asks the reader that training uses what is wrong with the file, so that both say the same."""
    try:
        decode_rgb(path)
    except ImageReadError as known:
        return UnreadableError(known.found, known.cure)
    return UnreadableError(
        f"it did not decode ({type(error).__name__}: {error})", "Copy it again, or convert it to PNG"
    )
