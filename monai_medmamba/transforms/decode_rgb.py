"""From an image file to a float32 RGB array: the rules for every pixel format, in one place."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from monai_medmamba.picture_formats import FORMATS, MAX_PIXELS

BITS_PER_SAMPLE = 258  # TIFF tag

# What Pillow's decoders raise on broken bytes.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class ImageReadError(ValueError):
    """An image file that cannot be used. The message names the file, what is wrong with it, and the cure."""

    def __init__(self, path: str | os.PathLike[str], found: str, cure: str) -> None:
        super().__init__(f"Cannot read the image {os.fspath(path)}: {found}. {cure}.")
        self.found, self.cure = found, cure


def decode_rgb(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a png, jpg, bmp or tif file as RGB.

    Each format has a fixed scale, so a value never depends on the rest of its image:

    - 8 bits a channel: divided by 255. Grey, 1-bit and palette pictures are spread over three channels, CMYK and YCbCr
      are converted. Colour profiles are not applied.
    - 16-bit grey: divided by 65535 (12-bit TIFF by 4095). 32-bit integers: the same, and must lie in [0, 65535].
    - Floating point: taken as it is, and must lie in [0, 1].
    - Transparency: composited on black, the surround of an endoscopic picture.
    - An orientation tag (EXIF, TIFF) is applied: row 0 is the top of the upright picture.

    Args:
        path: The file. Its content decides, not its suffix.

    Returns:
        Array (3, H, W), float32, in [0, 1]; rows before columns. In memory the channels of a pixel lie together, as in
        the file: what resizes it is several times as fast on that.

    Raises:
        ImageReadError: The file is missing, empty, truncated, of another kind, of more than 80 million pixels, has
            several pages, or holds values that are not finite or out of range.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "wide.png")
        >>> Image.new("L", (5, 2), 255).save(path)
        >>> decode_rgb(path).shape
        (3, 2, 5)
    """
    try:
        # From a stream, not a path: Pillow maps an uncompressed TIFF into memory, and garbles one lying on its side.
        with Path(path).open("rb") as stream, Image.open(stream, formats=FORMATS) as picture:
            _check_size(path, picture)
            bits = getattr(picture, "tag_v2", {}).get(BITS_PER_SAMPLE, (16,))[0]
            picture.load()
            rows = _to_rows(path, ImageOps.exif_transpose(picture), bits)
    except ImageReadError:
        raise
    except DECODE_ERRORS as error:
        raise ImageReadError(path, *_diagnose(path, error)) from error
    if rows.ndim == 2:
        rows = np.repeat(rows[..., None], 3, axis=2)
    return rows.transpose(2, 0, 1)


def _check_size(path: str | os.PathLike[str], picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        found = f"it has {picture.width} x {picture.height} pixels, expected at most {MAX_PIXELS}"
        raise ImageReadError(path, found, "Make a smaller copy, or cut it into tiles")
    pages = getattr(picture, "n_frames", 1)
    if pages > 1 and picture.format != "MPO":  # MPO: a camera's JPEG with previews behind the picture
        raise ImageReadError(
            path, f"it holds {pages} pictures, expected 1", "Save the one you mean to a file of its own"
        )


def _to_rows(path: str | os.PathLike[str], picture: Image.Image, bits: int) -> np.ndarray:
    """Returns (H, W) or (H, W, 3), float32, in [0, 1]."""
    if picture.mode == "F":
        return _check_range(path, np.asarray(picture, dtype=np.float32), 1.0)
    if picture.mode.startswith("I"):
        highest = 4095 if bits == 12 else 65535
        values = _check_range(path, np.asarray(picture, dtype=np.float32), highest)
        return values / np.float32(highest)
    if picture.has_transparency_data:
        layers = np.asarray(picture.convert("RGBA"), dtype=np.float32) / 255
        return layers[..., :3] * layers[..., 3:]
    wanted = "L" if picture.mode in ("1", "L") else "RGB"
    return np.asarray(picture.convert(wanted), dtype=np.float32) / 255


def _check_range(path: str | os.PathLike[str], values: np.ndarray, highest: float) -> np.ndarray:
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        cure = "Write finite values, and convert to 8 or 16 bits"
        raise ImageReadError(path, f"{bad} of {values.size} pixels are NaN or infinite", cure)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > highest:
        found = f"its values run from {low:g} to {high:g}, expected [0, {highest:g}] at this pixel format"
        raise ImageReadError(path, found, "Rescale it, the same way for every image, and save with 8 or 16 bits")
    return values


def _diagnose(path: str | os.PathLike[str], error: BaseException) -> tuple[str, str]:
    """Says what is wrong with a file that did not decode, and the cure."""
    file = Path(path)
    expected = f"expected one of {', '.join(FORMATS)}"
    try:
        with file.open("rb") as stream:
            head = stream.read(132)
    except OSError as problem:
        return f"{problem.strerror or problem}", "Check the path and its permissions"
    if not head:
        return "the file is empty", "Copy or download it again"
    if head.lstrip().startswith(b"<"):
        return f"it is a web page or XML, {expected}", "Download the picture itself"
    if head[128:] == b"DICM":
        return f"it is a DICOM file, {expected}", "Convert it to PNG first"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"it has more than {MAX_PIXELS} pixels", "Make a smaller copy, or cut it into tiles"
    if isinstance(error, Image.UnidentifiedImageError):
        return f"its content is no known picture, {expected}", "Convert it to PNG"
    return f"it is truncated, damaged or of an unsupported kind ({error})", "Copy it again, or convert it to PNG"
