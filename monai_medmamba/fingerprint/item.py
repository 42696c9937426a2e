"""One image as the data set lists it, and what is odd about the list itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

PICTURE, DICOM, NIFTI, ARRAY, SERIES = "picture", "dicom", "nifti", "array", "series"


@dataclass(frozen=True)
class Item:
    """One image of a data set.

    Args:
        path: Path relative to the data set's folder, with forward slashes; for an image inside an ``.npz`` file, the
            file's path, ``#``, the array and the image's place in it.
        kind: ``picture``, ``dicom``, ``nifti``, ``array`` or ``series``: who reads it.
        label: Name of its class; None where the data set does not say.
        split: ``training``, ``validation``, ``test``, or None where the data set does not say.
        patient: Who it shows, as the data set calls them; None where it does not say. Never written to a result.
    """

    path: str
    kind: str
    label: str | None = None
    split: str | None = None
    patient: str | None = None


class Remark(NamedTuple):
    """Something odd, before it becomes a finding.

    Args:
        code: What it is: a key of ``findings.FINDINGS``.
        path: The file, row or folder.
        detail: More about it; may be empty.
    """

    code: str
    path: str
    detail: str = ""


@dataclass
class Listing:
    """The images of a data set.

    Args:
        root: Absolute path of the folder that the paths are relative to.
        layout: What kind of data set it is: ``class folders``, ``split folders``, ``flat folder``, ``table``,
            ``medmnist``.
        labels_from: ``folders``, ``table``, ``arrays`` or ``nothing``.
        items: The images, sorted.
        others: Files that are no images, relative to ``root``.
        remarks: What is odd.
        columns: Positive images of each column, by split, where a MedMNIST file gives an image several labels.
    """

    root: str
    layout: str
    labels_from: str
    items: list[Item] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    columns: dict[str, dict[str, int]] = field(default_factory=dict)
