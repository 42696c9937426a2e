"""From a DICOM file to a float32 RGB array, as `decode_rgb` does it for pictures: what its tags say, in one place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_medmamba.picture_formats import MAX_PIXELS
from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_library import palette_colours
from monai_medmamba.transforms.dicom_values import (
    frame_count,
    in_one_line,
    lift_functional_groups,
    look_up,
    modality_values,
    stored_range,
    stored_values,
)

if TYPE_CHECKING:
    from pydicom import Dataset

COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")  # pydicom gives RGB for each of them


def is_dicom(path: str | os.PathLike[str]) -> bool:
    """Tells by a file's first bytes whether it is a DICOM file.

    Args:
        path: The file; its name does not matter.

    Returns:
        Whether it has DICOM's mark, ``DICM`` after 128 bytes (PS3.10, section 7.1).

    Raises:
        OSError: The file cannot be read.

    Example:
        >>> is_dicom(os.devnull)
        False
    """
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def decode_dicom(
    path: str | os.PathLike[str], window: tuple[float, float] | None = None, frame: int | None = None
) -> np.ndarray:
    """Reads a DICOM file's picture, or one frame of several, as RGB. Needs pydicom.

    Source: the grey pipeline of DICOM PS3.4, annex N.2, with its steps from PS3.3, C.11.1 and C.11.2:

    - Grey: modality table or rescale slope and intercept, then ``window``, else the file's VOI table, else the first of
      its windows, whose lower edge becomes 0 and upper edge 1. ``MONOCHROME1`` is inverted, so that 1 is white.
    - Grey without window and table: with up to 8 bits, the range that these bits can hold becomes [0, 1]. With more
      bits that range says nothing about the picture, and its own lowest and highest value would make a pixel depend on
      the rest of its image: the file is refused unless ``window`` is given.
    - Palette and YBR colours become RGB; 8 or 16 bits a channel are divided by the highest value.

    Overlays are not drawn, colour profiles not applied.

    Args:
        path: The file.
        window: Centre and width, at least 1, in units after rescaling (Hounsfield units for a CT), for grey files,
            in place of what they carry.
        frame: Which frame of several, from 0; None expects a file of one.

    Returns:
        Array (3, H, W), float32, in [0, 1]; rows before columns.

    Raises:
        ValueError: The window's width is less than 1.
        ImageReadError: The file is missing, damaged, no picture, of several frames while none is named, or of more
            than 80 million pixels; it needs a window, or is compressed in a way that no installed decoder reads; or
            pydicom is not installed.

    Example:
        >>> from pydicom.data import get_testdata_file
        >>> decode_dicom(get_testdata_file("MR_small.dcm", download=False)).shape
        (3, 64, 64)
    """
    if window is not None and not window[1] >= 1:
        raise ValueError(f"expected a window (centre, width) of width 1 or more, got {tuple(window)}")
    try:
        import pydicom
    except ImportError as error:
        found = "it is a DICOM file, and pydicom is not installed"
        raise ImageReadError(path, found, 'Install it: pip install "pydicom>=3.0.2"') from error
    try:
        dataset = pydicom.dcmread(path)
        _check_kind(path, dataset, frame)
        lift_functional_groups(dataset, frame)
        with np.errstate(all="ignore"):  # a senseless rescale gives values that the next line refuses
            rows = _to_rows(path, dataset, window, frame)
        if not np.isfinite(rows).all():
            raise ValueError("its rescale or window gives values that are no numbers")
    except ImageReadError:
        raise
    except Exception as error:  # pydicom raises a different class for each kind of damage
        if isinstance(error, OSError) and error.strerror:
            raise ImageReadError(path, error.strerror, "Check the path and its permissions") from error
        found = f"it is damaged, or a kind of DICOM that is not read ({in_one_line(error)})"
        raise ImageReadError(path, found, "Copy it again, or convert it to PNG") from error
    if rows.ndim == 2:
        rows = np.repeat(rows[..., None], 3, axis=2)
    return np.ascontiguousarray(rows.transpose(2, 0, 1).clip(0, 1), dtype=np.float32)


def _check_kind(path: str | os.PathLike[str], dataset: Dataset, frame: int | None) -> None:
    if "PixelData" not in dataset:
        kind = getattr(dataset.get("SOPClassUID"), "name", None) or "a file of another kind"
        raise ImageReadError(path, f"it is a DICOM file without a picture ({kind})", "Leave it out")
    frames = frame_count(dataset)
    if frame is not None and not 0 <= frame < frames:
        raise ImageReadError(path, f"it holds {frames} frames, expected frame {frame} among them", "Count from 0")
    if frames != 1 and frame is None:
        cure = f"Save the frame you mean to a file of its own, or name it, frame=0 to {frames - 1}"
        raise ImageReadError(path, f"it holds {frames} frames, expected 1", cure)
    if dataset.Rows * dataset.Columns > MAX_PIXELS:
        found = f"it has {dataset.Columns} x {dataset.Rows} pixels, expected at most {MAX_PIXELS}"
        raise ImageReadError(path, found, "Make a smaller copy, or cut it into tiles")


def _to_rows(
    path: str | os.PathLike[str], dataset: Dataset, window: tuple[float, float] | None, frame: int | None
) -> np.ndarray:
    """Returns (H, W) or (H, W, 3), about [0, 1]."""
    colours = dataset.PhotometricInterpretation
    if colours in ("MONOCHROME1", "MONOCHROME2"):
        grey = _grey(path, dataset, stored_values(path, dataset, frame), window)
        return 1 - grey if colours == "MONOCHROME1" else grey
    if colours == "PALETTE COLOR":
        entries, first, bits = dataset.RedPaletteColorLookupTableDescriptor
        # pydicom 3.0.2 wraps an index beyond a table of 8 bits instead of taking its last entry.
        pixels = stored_values(path, dataset, frame).clip(first, first + (entries or 2**16) - 1)
        return palette_colours(pixels, dataset)[..., :3] / (2.0**bits - 1)
    if colours in COLOURS:
        return stored_values(path, dataset, frame) / (2.0**dataset.BitsStored - 1)
    expected = ", ".join(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", *COLOURS))
    raise ImageReadError(path, f"its colours are {colours}, expected one of {expected}", "Convert it to PNG")


def _grey(
    path: str | os.PathLike[str], dataset: Dataset, pixels: np.ndarray, window: tuple[float, float] | None
) -> np.ndarray:
    """Takes stored values through modality and VOI, to about [0, 1]."""
    bits = int(dataset.BitsStored)
    values, ends = modality_values(dataset, pixels), modality_values(dataset, stored_range(dataset))
    if dataset.get("ModalityLUTSequence"):
        bits = int(dataset.ModalityLUTSequence[0].LUTDescriptor[2])
        ends = np.array([0, 2**bits - 1])

    has_window = None not in (dataset.get("WindowCenter"), dataset.get("WindowWidth"))
    if window is not None:
        return _apply_window(values, *window)
    if dataset.get("VOILUTSequence"):
        table = dataset.VOILUTSequence[0]
        return look_up(dataset, table, np.rint(values)) / (2.0 ** table.LUTDescriptor[2] - 1)
    if has_window:
        function = dataset.get("VOILUTFunction") or "LINEAR"
        return _apply_window(values, _first(dataset.WindowCenter), _first(dataset.WindowWidth), function)
    if bits > 8:
        found = f"it has {bits} bits of grey and carries no window that says which of them to show"
        raise ImageReadError(path, found, "Give centre and width, such as window=(40, 400) or --window 40 400")
    return (values - ends.min()) / (ends.max() - ends.min())


def _apply_window(values: np.ndarray, center: float, width: float, function: str = "LINEAR") -> np.ndarray:
    """Maps the window to [0, 1] (PS3.3, C.11.2.1)."""
    if function == "LINEAR" and width >= 1:
        center, width = center - 0.5, max(width - 1, 1e-6)
    elif function not in ("LINEAR_EXACT", "SIGMOID") or width <= 0:
        raise ValueError(f"a window of width {width:g} and function {function!r}")
    if function == "SIGMOID":
        return 0.5 + 0.5 * np.tanh(2 * (values - center) / width)  # the standard's formula, which does not overflow so
    return ((values - center) / width + 0.5).clip(0, 1)


def _first(value: Any) -> float:
    """Returns the first of several values, or the only one."""
    return float(value if np.ndim(value) == 0 else value[0])
