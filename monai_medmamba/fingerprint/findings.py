"""What a user should look at: each kind of finding with its weight, its meaning and the cure, in one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from .item import Remark

PROBLEM, WARNING, NOTE = "problem", "warning", "note"
WEIGHTS = (PROBLEM, WARNING, NOTE)
"""A problem spoils a training or a result, a warning may, a note is good to know."""


class Kind(NamedTuple):
    """A kind of finding.

    Args:
        weight: ``problem``, ``warning`` or ``note``.
        title: What was found, for many files.
        cure: What to do about it.
    """

    weight: str
    title: str
    cure: str


FINDINGS = {
    "unreadable": Kind(PROBLEM, "Images that cannot be read", "Replace, convert or remove them"),
    "unreadable_folder": Kind(PROBLEM, "Folders that cannot be read", "Check their permissions"),
    "same_across_splits": Kind(PROBLEM, "The same image in several splits", "Keep each in one split only"),
    "same_across_labels": Kind(PROBLEM, "The same image under several labels", "Find out which label is right"),
    "near_across_splits": Kind(
        WARNING,
        "Images that look alike in several splits",
        "Look at them: views of one patient, or frames of one video, belong in one split",
    ),
    "near_across_labels": Kind(
        WARNING, "Images that look alike under several labels", "Look at them: one of the labels may be wrong"
    ),
    "same_in_split": Kind(
        WARNING, "The same image several times", "Keep one of each, unless it is meant to count more"
    ),
    "near_in_split": Kind(
        NOTE, "Images that look alike", "Keep them together when the data are split: give them one patient"
    ),
    "patient_across_splits": Kind(PROBLEM, "Patients in several splits", "Keep each patient in one split"),
    "class_missing": Kind(PROBLEM, "Classes that a split lacks", "Add images, or leave the class out of all splits"),
    "single_class": Kind(
        PROBLEM, "Fewer than two classes", "Name the folder that holds one folder a class, or a table"
    ),
    "rare_class": Kind(
        WARNING, "Classes of fewer than 20 images", "Collect more: no figure about them will be certain"
    ),
    "imbalance": Kind(
        WARNING, "Classes of very different size", "Weigh the loss, and report balanced accuracy beside accuracy"
    ),
    "contradicting_row": Kind(PROBLEM, "Files that a table lists in two ways", "Keep the row that is right"),
    "outside_path": Kind(
        PROBLEM, "Rows whose path leads outside the folder, never opened", "Put the files into the folder of the table"
    ),
    "not_found_once": Kind(
        PROBLEM, "Rows whose file is not found, or more than once", "Correct the rows, or the path form"
    ),
    "empty_row": Kind(PROBLEM, "Rows without a path", "Complete or remove them"),
    "unknown_split": Kind(PROBLEM, "Rows of an unknown split", "Write train, val or test"),
    "unlabelled": Kind(PROBLEM, "Images without a label beside others that have one", "Label or remove them"),
    "outside_splits": Kind(PROBLEM, "Images beside the split folders", "Move them into train, val or test, or away"),
    "repeated_row": Kind(WARNING, "Files that a table lists again", "Remove the rows"),
    "not_in_table": Kind(NOTE, "Images that the table does not list", "List them, or leave them aside knowingly"),
    "nested": Kind(
        WARNING, "Images in folders inside class folders", "The first folder counts as the class: make sure it is one"
    ),
    "other_file": Kind(WARNING, "Files in class folders that are no images", "Move them: training refuses them"),
    "wrong_suffix": Kind(WARNING, "Files whose suffix belies their content", "Rename them"),
    "odd_name": Kind(WARNING, "Names with unprintable characters", "Rename them"),
    "outside_link": Kind(NOTE, "Links to files outside the folder", "Copy them where the data set has to travel"),
    "linked_folder": Kind(WARNING, "Links to folders, not followed", "Copy the folders, if their images belong here"),
    "constant": Kind(PROBLEM, "Images of one value", "Remove them: they show nothing"),
    "faint": Kind(WARNING, "Images of almost one value", "Look at them: they may show nothing"),
    "tiny": Kind(WARNING, "Images with a side of fewer than 16 pixels", "Remove them, or find the originals"),
    "narrow": Kind(WARNING, "Images more than four times as long as wide", "Look at them: they may be strips or scans"),
    "dark": Kind(WARNING, "Images with a field of view below 5 %", "Look at them: they may show nothing"),
    "clipped": Kind(
        WARNING, "Images of which over half is at the highest value", "Look at them: they may be overexposed"
    ),
    "odd_size": Kind(NOTE, "Images of unusual size", "Look at them: they may come from elsewhere"),
    "odd_brightness": Kind(NOTE, "Images of unusual brightness", "Look at them: they may show something else"),
    "odd_mode": Kind(
        WARNING,
        "Images stored unlike the others",
        "Look at them: where storage follows the class, a network learns the storage",
    ),
    "mask": Kind(WARNING, "Images that look like masks or maps of structures", "Move them out of the image folders"),
    "frames": Kind(
        WARNING, "Files of several frames; the middle one was measured", "Save frames to files of their own"
    ),
    "no_window": Kind(
        NOTE, "DICOM files of more than 8 bits without a window", "Choose centre and width: predict asks for --window"
    ),
    "burned_in": Kind(PROBLEM, "DICOM files that declare burned-in annotation", "Look for patient data in the pixels"),
    "no_orientation": Kind(
        WARNING, "NIfTI files without orientation", "Find out which side is left before mixing them"
    ),
    "odd_spacing": Kind(WARNING, "Files whose pixel or voxel size is no size", "Correct their headers"),
    "moved_slices": Kind(
        NOTE, "Series whose slices were moved or interpolated onto a grid", "Look at them, if fine detail matters"
    ),
    "turned": Kind(NOTE, "Images with an orientation tag, applied when read", "Nothing, if all readers apply it"),
    "transparent": Kind(NOTE, "Images with transparency, read on black", "Nothing, if black is right"),
}


def gather(remarks: Iterable[Remark]) -> list[dict[str, Any]]:
    """Puts remarks together by kind.

    Args:
        remarks: In any order.

    Returns:
        One finding a kind that occurs, the weightiest first: ``code``, ``weight``, ``title``, ``cure``, ``count`` and
        ``files``, each with ``path`` and, where there is more to say, ``detail``.
    """
    by_code: dict[str, list[Remark]] = defaultdict(list)
    for remark in remarks:
        by_code[remark.code].append(remark)
    found = []
    for code, kind in FINDINGS.items():
        if code in by_code:
            files = [{"path": r.path, "detail": r.detail} if r.detail else {"path": r.path} for r in by_code[code]]
            found.append({"code": code, **kind._asdict(), "count": len(files), "files": files})
    return sorted(found, key=lambda finding: WEIGHTS.index(finding["weight"]))
