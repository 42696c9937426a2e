"""From a table of predictions to one report a study; a source that cannot be used is noted and passed over."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..discretion import discreet
from .algorithm import Algorithm
from .codes import Code
from .report import Instance, Report, Result
from .source import Missed, SourceError, read_sources
from .structured_report import write_report

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydicom import Dataset

__all__ = ["StudyReport", "report_studies", "write_reports"]

PATIENT = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")
"""What tells patients apart (PS3.3, C.7.1.1); study identifiers are not unique in every archive."""


class StudyReport(NamedTuple):
    """A report with what it is about.

    Args:
        report: What it says.
        headers: Of the first source image of each result; the first one's patient and study are the report's.
        images: Name of each result's image, as the table has it.

    Example:
        >>> StudyReport._fields
        ('report', 'headers', 'images')
    """

    report: Report
    headers: tuple[Dataset, ...]
    images: tuple[str, ...]


def report_studies(
    images: Sequence[str],
    probabilities: npt.NDArray[np.float32],
    codes: Mapping[str, Code],
    algorithm: Algorithm,
    *,
    several_labels: bool = False,
    root: str | os.PathLike[str] = "",
    series: str | None = None,
) -> tuple[list[StudyReport], list[Missed]]:
    """Gathers the results of each study.

    Args:
        images: Names of DICOM files, or of folders with a series each, which were read as volumes.
        probabilities: (images, classes).
        codes: Of each class, in the order of the columns; see :func:`class_codes`.
        algorithm: What computed them.
        several_labels: Whether an image may have several labels.
        root: Folder that relative names start from; "" for the working directory.
        series: Which series of a folder; see :func:`read_sources`.

    Returns:
        A report for each study, in the order in which they first appear, and the images that cannot be part of one:
        no DICOM, damaged, without identifiers, twice the same, or in a study whose files name different patients.

    Example:
        >>> import numpy as np
        >>> from monai_medmamba.dicom import class_codes
        >>> classes, value = class_codes(["a", "b"]), np.float32([[0.25, 0.75]])
        >>> report_studies(["missing.dcm"], value, classes, Algorithm("x", "1"))[1][0].name
        'missing.dcm'
    """
    reports = []
    missed: list[Missed] = []
    studies: dict[str, list[tuple[str, Dataset, Result]]] = {}
    seen: set[str] = set()
    with discreet():
        for name, row in zip(images, probabilities.tolist(), strict=True):
            try:
                headers = read_sources(Path(root, name), series)
            except SourceError as error:
                missed.append(Missed(name, error.reason))
                continue
            found = tuple(
                Instance(str(x.SOPClassUID), str(x.SOPInstanceUID), str(x.SeriesInstanceUID)) for x in headers
            )
            uids = {instance.uid for instance in found}
            if uids & seen:
                missed.append(Missed(name, "another file of the table has its SOPInstanceUID; leave one out"))
                continue
            seen |= uids
            studies.setdefault(headers[0].StudyInstanceUID, []).append((name, headers[0], Result(found, tuple(row))))
        for study, members in studies.items():
            named, firsts, results = zip(*members, strict=True)
            if len({_patient(header) for header in firsts}) > 1:
                reason = (
                    "its study holds images of different patients under one StudyInstanceUID; report them one by one"
                )
                missed += [Missed(name, reason) for name in named]
                continue
            report = Report(str(study), algorithm, tuple(codes.values()), several_labels, results)
            reports.append(StudyReport(report, firsts, named))
    return reports, missed


def write_reports(out: str | os.PathLike[str], reports: Sequence[StudyReport]) -> list[Path]:
    """Writes each report into a folder, named after its study.

    Args:
        out: The folder; is made if it is missing.
        reports: From :func:`report_studies`.

    Returns:
        The files, ``<StudyInstanceUID>-report.dcm``; one that is there is replaced.

    Raises:
        OSError: A file cannot be written.

    Example:
        >>> write_reports(".", [])
        []
    """
    files = []
    for one in reports:
        files.append(Path(out) / f"{one.report.study}-report.dcm")  # its UID is valid: digits and dots
        write_report(files[-1], one.report, one.headers[0])
    return files


def _patient(header: Dataset) -> tuple[str, ...]:
    return tuple(str(header.get(keyword) or "") for keyword in PATIENT)
