"""From a DICOM file to a float32 RGB array, as `decode_rgb` does it for pictures: what its tags say, in one place."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_medmamba.picture_formats import MAX_PIXELS
from monai_medmamba.transforms.decode_rgb import ImageReadError

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


def decode_dicom(path: str | os.PathLike[str], window: tuple[float, float] | None = None) -> np.ndarray:
    """Reads a DICOM file that holds one two-dimensional picture as RGB. Needs pydicom 3.

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

    Returns:
        Array (3, H, W), float32, in [0, 1]; rows before columns.

    Raises:
        ValueError: The window's width is less than 1.
        ImageReadError: The file is missing, damaged, no picture, of several frames or more than 80 million pixels,
            needs a window, or is compressed in a way that no installed decoder reads; or pydicom is not installed.

    Example:
        >>> from pydicom.data import get_testdata_file
        >>> decode_dicom(get_testdata_file("MR_small.dcm", download=False)).shape
        (3, 64, 64)
    """
    if window is not None and not window[1] >= 1:
        raise ValueError(f"expected a window (centre, width) of width 1 or more, got {tuple(window)}")
    try:
        import pydicom.pixels  # new in pydicom 3
    except ImportError as error:
        found = "it is a DICOM file, and pydicom 3 is not installed"
        raise ImageReadError(path, found, 'Install it: pip install "pydicom>=3.0.2"') from error
    try:
        dataset = pydicom.dcmread(path)
        _check_kind(path, dataset)
        lift_functional_groups(dataset)
        with np.errstate(all="ignore"):  # a senseless rescale gives values that the next line refuses
            rows = _to_rows(path, dataset, window)
        if not np.isfinite(rows).all():
            raise ValueError("its rescale or window gives values that are no numbers")
    except ImageReadError:
        raise
    except Exception as error:  # pydicom raises a different class for each kind of damage
        if isinstance(error, OSError) and error.strerror:
            raise ImageReadError(path, error.strerror, "Check the path and its permissions") from error
        found = f"it is damaged, or a kind of DICOM that is not read ({_in_one_line(error)})"
        raise ImageReadError(path, found, "Copy it again, or convert it to PNG") from error
    if rows.ndim == 2:
        rows = np.repeat(rows[..., None], 3, axis=2)
    return np.ascontiguousarray(rows.transpose(2, 0, 1).clip(0, 1), dtype=np.float32)


def _check_kind(path: str | os.PathLike[str], dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        kind = getattr(dataset.get("SOPClassUID"), "name", None) or "a file of another kind"
        raise ImageReadError(path, f"it is a DICOM file without a picture ({kind})", "Leave it out")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        cure = "Save the frame you mean to a file of its own"
        raise ImageReadError(path, f"it holds {frames} frames, expected 1", cure)
    if dataset.Rows * dataset.Columns > MAX_PIXELS:
        found = f"it has {dataset.Columns} x {dataset.Rows} pixels, expected at most {MAX_PIXELS}"
        raise ImageReadError(path, found, "Make a smaller copy, or cut it into tiles")


def lift_functional_groups(dataset: Dataset) -> None:
    """Puts rescale and window of an enhanced file's only frame where a classic file has them."""
    for place in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for groups in dataset.get(place) or []:
            for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                for values in groups.get(name) or []:
                    dataset.update(values)


def _to_rows(path: str | os.PathLike[str], dataset: Dataset, window: tuple[float, float] | None) -> np.ndarray:
    """Returns (H, W) or (H, W, 3), about [0, 1]."""
    colours = dataset.PhotometricInterpretation
    if colours in ("MONOCHROME1", "MONOCHROME2"):
        grey = _grey(path, dataset, _decode(path, dataset), window)
        return 1 - grey if colours == "MONOCHROME1" else grey
    if colours == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        entries, first, bits = dataset.RedPaletteColorLookupTableDescriptor
        # pydicom 3.0.2 wraps an index beyond a table of 8 bits instead of taking its last entry.
        pixels = _decode(path, dataset).clip(first, first + (entries or 2**16) - 1)
        return apply_color_lut(pixels, dataset)[..., :3] / (2.0**bits - 1)
    if colours in COLOURS:
        return _decode(path, dataset) / (2.0**dataset.BitsStored - 1)
    expected = ", ".join(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", *COLOURS))
    raise ImageReadError(path, f"its colours are {colours}, expected one of {expected}", "Convert it to PNG")


def _decode(path: str | os.PathLike[str], dataset: Dataset) -> np.ndarray:
    """Returns the stored values, (H, W) or (H, W, 3), YBR as RGB."""
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        return dataset.pixel_array
    except Exception as error:
        if not syntax.is_encapsulated:
            raise
        cure = "Install python-gdcm, which reads nearly all: pip install python-gdcm; or save it uncompressed"
        if not get_decoder(syntax).is_available:
            found = f"it is compressed as {syntax.name}, which no installed decoder reads"
            raise ImageReadError(path, found, cure) from error
        found = f"it is compressed as {syntax.name}, and did not decode ({_in_one_line(error)})"
        if find_spec("gdcm"):
            cure = "Copy it again, or save it uncompressed"
        raise ImageReadError(path, found, cure) from error


def _grey(
    path: str | os.PathLike[str], dataset: Dataset, pixels: np.ndarray, window: tuple[float, float] | None
) -> np.ndarray:
    """Takes stored values through modality and VOI, to about [0, 1]."""
    bits = int(dataset.BitsStored)
    lowest = -(2 ** (bits - 1)) if dataset.PixelRepresentation else 0
    ends = np.array([lowest, lowest + 2**bits - 1])
    if dataset.get("ModalityLUTSequence"):
        table = dataset.ModalityLUTSequence[0]
        bits = int(table.LUTDescriptor[2])
        values, ends = _look_up(dataset, table, pixels), np.array([0, 2**bits - 1])
    else:
        slope, intercept = (dataset.get(name) for name in ("RescaleSlope", "RescaleIntercept"))
        slope, intercept = float(1 if slope is None else slope), float(intercept or 0)
        values, ends = (stored * slope + intercept for stored in (pixels, ends))

    has_window = None not in (dataset.get("WindowCenter"), dataset.get("WindowWidth"))
    if window is not None:
        return _apply_window(values, *window)
    if dataset.get("VOILUTSequence"):
        table = dataset.VOILUTSequence[0]
        return _look_up(dataset, table, np.rint(values)) / (2.0 ** table.LUTDescriptor[2] - 1)
    if has_window:
        function = dataset.get("VOILUTFunction") or "LINEAR"
        return _apply_window(values, _first(dataset.WindowCenter), _first(dataset.WindowWidth), function)
    if bits > 8:
        found = f"it has {bits} bits of grey and carries no window that says which of them to show"
        raise ImageReadError(path, found, "Give centre and width, such as window=(40, 400) or --window 40 400")
    return (values - ends.min()) / (ends.max() - ends.min())


def _look_up(dataset: Dataset, table: Dataset, values: np.ndarray) -> np.ndarray:
    """Maps values by a table of modality or VOI (PS3.3, C.11.1.1); those outside take its first or last entry.

    pydicom 3.0.2 has functions for both, whose index overflows where the table's type is smaller than the values'.
    """
    count, first, _bits = table.LUTDescriptor
    entries = table.LUTData
    if isinstance(entries, bytes):
        order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
        entries = np.frombuffer(entries, dtype="u1" if len(entries) == count else f"{order}u2")
    index = (values - float(first)).clip(0, (count or 2**16) - 1).astype(np.int64)
    return np.asarray(entries, dtype=np.float64)[index]


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


def _in_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
