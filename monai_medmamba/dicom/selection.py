"""Which series are meant: by modality and by body part."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..discretion import discreet
from ..transforms import is_dicom

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["Selection", "select_files", "split_words"]


@dataclass(frozen=True)
class Selection:
    """Modalities and body parts, of which a series must have one each; none at all fits every series.

    Args:
        modalities: As Modality (0008,0060) has them, such as ``("CR", "DX")``.
        body_parts: As Body Part Examined (0018,0015) has them, such as ``("CHEST",)``; a series that does not say its
            own fits none.

    Example:
        >>> Selection(("cr", "DX"), ("chest",)).fits("CR", "CHEST ")
        True
    """

    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.modalities or self.body_parts)

    def fits(self, modality: str, body_part: str) -> bool:
        """Returns whether a series is meant; upper and lower case are the same."""
        wanted = ((self.modalities, modality), (self.body_parts, body_part))
        return all(not names or _plain(value) in map(_plain, names) for names, value in wanted)

    def fits_header(self, header: Dataset) -> bool:
        """Returns whether a file is meant."""
        return self.fits(str(header.get("Modality") or ""), str(header.get("BodyPartExamined") or ""))


def split_words(value: str | Sequence[str]) -> tuple[str, ...]:
    """Returns words that commas or a list part, as users name modalities and body parts.

    Args:
        value: a text, or several.

    Returns:
        The words, none of them empty.

    Example:
        >>> split_words(["CR,DX", "MR"])
        ('CR', 'DX', 'MR')
    """
    texts = [value] if isinstance(value, str) else map(str, value)
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def select_files(files: Sequence[str], selection: Selection) -> tuple[list[str], list[str]]:
    """Parts files into those that a selection means and the rest.

    Args:
        files: Paths.
        selection: What is meant; an empty one means everything.

    Returns:
        The files that are meant, and those that are not: DICOM files of other series, and pictures that are no DICOM.
        A file that cannot be read counts as meant: whoever reads it says what is wrong.

    Example:
        >>> from pydicom.data import get_testdata_file
        >>> scan = get_testdata_file("MR_small.dcm", download=False)
        >>> select_files([scan], Selection(("CT",)))[0]
        []
    """
    if not selection:
        return list(files), []
    kept: list[str] = []
    left: list[str] = []
    with discreet():
        for file in files:
            (kept if _is_meant(file, selection) else left).append(file)
    return kept, left


def _is_meant(file: str | os.PathLike[str], selection: Selection) -> bool:
    try:
        if not is_dicom(file):
            return False
        import pydicom

        tags = ["Modality", "BodyPartExamined"]
        return selection.fits_header(pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags))
    except Exception:  # noqa: BLE001  pydicom raises a different class for each kind of damage
        return True


def _plain(value: str) -> str:
    return value.strip().upper()
