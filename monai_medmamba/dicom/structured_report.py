"""A report as a DICOM structured report: PS3.16, TID 1500 "Measurement Report"."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..discretion import discreet
from ..files import atomic_path
from ..version import __version__
from .codes import PRIVATE_SCHEME, Code
from .inherited import CHARACTER_SET, copy_patient_and_study, nameless
from .report import SEVERAL, SINGLE, Report, Result
from .source import need_highdicom

if TYPE_CHECKING:
    from highdicom.sr import (
        AlgorithmIdentification,
        CodedConcept,
        EnhancedSR,
        MeasurementsAndQualitativeEvaluations,
        ObserverContext,
    )
    from pydicom import Dataset

__all__ = ["build_report", "write_report"]

PROBABILITY = Code("122157", "DCM", "Probability")  # PS3.16, annex D
NO_UNITS = Code("1", "UCUM", "no units")  # PS3.16, CID 7181
PRESENT = Code("52101004", "SCT", "Present")  # PS3.16, CID 240
ABSENT = Code("272519000", "SCT", "Absent")  # PS3.16, CID 240
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")  # PS3.16, CID 100
MANUFACTURER = "monai_medmamba"
DESCRIPTION = "MedMamba classification, not for diagnosis"  # an LO: at most 64 characters
SERIES_NUMBER = 9100  # beyond those of most modalities; Series Number need not be unique (PS3.3, C.7.3.1)


def write_report(path: str | os.PathLike[str], report: Report, header: Dataset) -> None:
    """Writes a report as a file; it appears whole or not at all.

    Args:
        path: The file.
        report: What to say.
        header: Of a source image, from :func:`read_sources`; the patient's and the study's elements are copied from it.

    Raises:
        ValueError: The header is of another study.
        RuntimeError: highdicom is not installed.
        OSError: The file cannot be written.

    Example:
        >>> import numpy as np, tempfile
        >>> from monai_medmamba.dicom import Algorithm, class_codes, read_report, report_studies
        >>> scan, values = __import__("pydicom").data.get_testdata_file("CT_small.dcm"), np.float32([[0.25, 0.75]])
        >>> [(said, headers, _)], _ = report_studies([scan], values, class_codes(["a", "b"]), Algorithm("x", "1"))
        >>> write_report(path := tempfile.mkdtemp() + "/report.dcm", said, headers[0])
        >>> read_report(path) == said
        True
    """
    dataset = build_report(report, header)
    with discreet(), atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)


def build_report(report: Report, header: Dataset) -> EnhancedSR:
    """Returns a report as an instance of Enhanced SR Storage.

    Source: PS3.16, TID 1500 "Measurement Report", with one group of TID 1501 for each image and class. The group has
    the class as its Finding (121071, DCM), the probability as a measurement (TID 300), the class with Present or Absent
    (CID 240) as its qualitative evaluation, the algorithm (TID 4019), and the images as Source of Measurement (121112,
    DCM). The observer is a device (TID 1004). The report is complete, preliminary and unverified.

    Args:
        report: What to say.
        header: Of a source image of the study.

    Returns:
        The instance, in Explicit VR Little Endian.

    Raises:
        ValueError: The header is of another study.
        RuntimeError: highdicom is not installed.
    """
    if header.get("StudyInstanceUID") != report.study:
        raise ValueError("expected the header of an image of the report's study, got one of another study")
    need_highdicom()
    from highdicom import UID
    from highdicom.sr import EnhancedSR, MeasurementReport, ObservationContext

    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_observer(report)),
        procedure_reported=_coded(IMAGING_PROCEDURE),
        imaging_measurements=[
            group for number, result in enumerate(report.results, 1) for group in _groups(report, result, number)
        ],
    )
    sources = {instance.uid: instance for result in report.results for instance in result.instances}
    with discreet():
        dataset = EnhancedSR(
            evidence=[nameless(*one[:3], report.study) for one in sources.values()],
            content=content[0],
            series_instance_uid=UID(),
            series_number=SERIES_NUMBER,
            sop_instance_uid=UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name="MedMamba",
            software_versions=__version__,
            series_description=DESCRIPTION,
            is_complete=True,  # Completion Flag COMPLETE: nothing is to come (PS3.3, C.17.2)
            is_final=False,  # Preliminary Flag PRELIMINARY: nobody has looked at it (PS3.3, C.17.2)
            specific_character_set=CHARACTER_SET,
            coding_schemes=_schemes(report),
        )
        copy_patient_and_study(dataset, header)
    return dataset


def _coded(code: Code) -> CodedConcept:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def _observer(report: Report) -> ObserverContext:
    """Returns the device that observed (PS3.16, TID 1002 and 1004)."""
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObserverContext
    from pydicom.uid import generate_uid

    algorithm = report.algorithm
    device = DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=[MANUFACTURER, algorithm.name, algorithm.version]),  # the same for each report
        name=algorithm.name,
        manufacturer_name=MANUFACTURER,
        model_name="MedMamba",
    )
    return ObserverContext(_coded(Code("121007", "DCM", "Device")), device)  # PS3.16, CID 270 "Observer Types"


def _groups(report: Report, result: Result, number: int) -> list[MeasurementsAndQualitativeEvaluations]:
    """Returns a group for each class (PS3.16, TID 1501)."""
    from highdicom.sr import (
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        QualitativeEvaluation,
        SourceImageForMeasurementGroup,
        TrackingIdentifier,
    )

    groups = []
    for code, value, there in zip(report.codes, result.probabilities, report.present(result), strict=True):
        groups.append(
            MeasurementsAndQualitativeEvaluations(
                tracking_identifier=TrackingIdentifier(identifier=f"image {number}, {code.meaning}"),  # TID 4108
                finding_type=_coded(code),
                algorithm_id=_algorithm(report),
                measurements=[Measurement(_coded(PROBABILITY), float(value), _coded(NO_UNITS))],  # TID 300
                qualitative_evaluations=[QualitativeEvaluation(_coded(code), _coded(PRESENT if there else ABSENT))],
                source_images=[
                    SourceImageForMeasurementGroup(one.sop_class, one.uid, list(one.frames) or None)
                    for one in result.instances
                ],
            )
        )
    return groups


def _algorithm(report: Report) -> AlgorithmIdentification:
    """Returns what computed the values (PS3.16, TID 4019)."""
    from highdicom.sr import AlgorithmIdentification

    kind = SEVERAL if report.several_labels else SINGLE
    algorithm = report.algorithm
    return AlgorithmIdentification(algorithm.name, algorithm.version, [kind, *algorithm.parameters])


def _schemes(report: Report) -> list[Dataset] | None:
    """Returns what is known of the private coding scheme where it is used (PS3.3, table C.12-1)."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    if all(code.scheme != PRIVATE_SCHEME for code in report.codes):
        return None
    name = "Class names of monai_medmamba"
    return [CodingSchemeIdentificationItem(PRIVATE_SCHEME, name=name, responsible_organization=MANUFACTURER)]
