"""Finds the patient in the path of an image."""

import re
from collections.abc import Sequence
from dataclasses import replace

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import Entry


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Returns the regular expression.

    Raises:
        DatasetError: It is none.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DatasetError("a regular expression for patients", f"{pattern!r}: {error}", "Correct it") from error


def find_patient(path: str, pattern: re.Pattern[str]) -> str | None:
    """Returns the first group of the match, or all of it where there is no group; None where nothing matches.

    Example:
        >>> find_patient("a/p07_2.png", compile_pattern(r"(p[0-9]+)_"))
        'p07'
    """
    match = pattern.search(path)
    if match is None:
        return None
    return match[1] if pattern.groups and match[1] is not None else match[0]


def add_patients(entries: Sequence[Entry], pattern: str) -> list[Entry]:
    """Returns the entries, each with a patient: the one it has, or the one in its path.

    Raises:
        DatasetError: The pattern is no regular expression, or it finds nobody in some paths.
    """
    compiled = compile_pattern(pattern)
    found = [e if e.patient is not None else replace(e, patient=find_patient(e.path, compiled)) for e in entries]
    without = [entry.path for entry in found if not entry.patient]
    if without:
        cure = "Correct patient_pattern so that it matches each path, or leave it out"
        raise DatasetError(f"a patient in each path, by {pattern!r}", f"{len(without)} paths without", cure, without)
    return found
