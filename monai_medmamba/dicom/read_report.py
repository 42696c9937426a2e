"""Back from a structured report of ours to what it says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..discretion import discreet
from .algorithm import Algorithm
from .codes import Code
from .report import SEVERAL, Instance, Report, Result
from .source import need_highdicom

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["read_report"]


def read_report(path: str | os.PathLike[str]) -> Report:
    """Returns what :func:`write_report` wrote.

    Args:
        path: A structured report.

    Returns:
        The report; equal to the one that was written.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no structured report of ours.
        RuntimeError: highdicom is not installed.

    Example:
        >>> from pydicom.data import get_testdata_file
        >>> read_report(get_testdata_file("CT_small.dcm", download=False))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: ...CT_small.dcm: expected a structured report that `medmamba report-dicom` wrote, got another file
    """
    need_highdicom()
    import highdicom.sr

    with discreet():
        try:
            document = highdicom.sr.srread(os.fspath(path))
            return _report(document)
        except OSError:
            raise
        except Exception as error:  # highdicom and pydicom raise a different class for each kind of other file
            raise ValueError(
                f"{os.fspath(path)}: expected a structured report that `medmamba report-dicom` wrote, got another file"
            ) from error


def _report(document: Any) -> Report:
    series = {
        instance.ReferencedSOPInstanceUID: str(one.SeriesInstanceUID)
        for study in document.CurrentRequestedProcedureEvidenceSequence
        for one in study.ReferencedSeriesSequence
        for instance in one.ReferencedSOPSequence
    }
    groups = document.content.get_image_measurement_groups()
    kind, *parameters = _texts(groups[0][0], "111002")
    algorithm = Algorithm(_texts(groups[0][0], "111001")[0], _texts(groups[0][0], "111003")[0], tuple(parameters))
    codes = tuple(dict.fromkeys(_code(group.finding_type) for group in groups))
    results = []
    for place in range(0, len(groups), len(codes)):  # a group for each class, and then those of the next image
        of_image = groups[place : place + len(codes)]
        values = tuple(float(group.get_measurements()[0].value) for group in of_image)
        instances = tuple(_instance(image, series) for image in of_image[0].source_images)
        results.append(Result(instances, values))
    return Report(str(document.StudyInstanceUID), algorithm, codes, kind == SEVERAL, tuple(results))


def _texts(group: Dataset, value: str) -> list[str]:
    """Returns the texts of a group whose concept has this code of DCM."""
    return [
        str(item.TextValue)
        for item in group.ContentSequence
        if item.ValueType == "TEXT" and item.ConceptNameCodeSequence[0].CodeValue == value
    ]


def _code(concept: Any) -> Code:
    return Code(str(concept.value), str(concept.scheme_designator), str(concept.meaning))


def _instance(image: Any, series: dict[str, str]) -> Instance:
    uid = str(image.referenced_sop_instance_uid)
    frames = tuple(int(frame) for frame in image.referenced_frame_numbers or ())
    return Instance(str(image.referenced_sop_class_uid), uid, series[uid], frames)
