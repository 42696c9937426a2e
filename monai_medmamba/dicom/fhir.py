"""A report as FHIR R4 resources: a DiagnosticReport with an Observation an image."""

from __future__ import annotations

import datetime
import json
import os
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..discretion import discreet
from ..files import atomic_path
from .codes import Code
from .report import Instance, Report, Result
from .study_reports import StudyReport

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["fhir_bundle", "write_fhir"]

SYSTEMS = {  # FHIR R4, 4.3 "Using Code Systems": the URI of each DICOM designator of PS3.16, table 8-1
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "RADLEX": "http://www.radlex.org",
    "UCUM": "http://unitsofmeasure.org",
    "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "I10": "http://hl7.org/fhir/sid/icd-10",
}
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
DICOM_UID = "urn:dicom:uid"  # FHIR R4, ImagingStudy: system of identifiers that are DICOM UIDs
PRELIMINARY = "preliminary"  # FHIR R4, diagnostic-report-status and observation-status: nobody has verified it


def write_fhir(path: str | os.PathLike[str], study: StudyReport) -> None:
    """Writes a report as a JSON file with the bundle of :func:`fhir_bundle`; it appears whole or not at all.

    Args:
        path: The file.
        study: From :func:`report_studies`.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import numpy as np, tempfile
        >>> from monai_medmamba.dicom import Algorithm, class_codes, report_studies
        >>> scan, values = __import__("pydicom").data.get_testdata_file("CT_small.dcm"), np.float32([[0.25, 0.75]])
        >>> studies, _ = report_studies([scan], values, class_codes(["a", "b"]), Algorithm("x", "1"))
        >>> write_fhir(tempfile.mkdtemp() + "/report.json", studies[0])
    """
    text = json.dumps(fhir_bundle(study), indent=4, ensure_ascii=False) + "\n"
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def fhir_bundle(study: StudyReport) -> dict[str, Any]:
    """Returns a report as a FHIR R4 Bundle of the type collection.

    It holds a DiagnosticReport, a Device (the algorithm), and an Observation for each image: each class is a component
    with its probability, and where an image has one class, that is the value. Each Observation contains an
    ImagingStudy that lists the instances it is derived from. The patient is referred to by number alone. The resources
    have the same identifiers whenever the same study is reported.

    Args:
        study: From :func:`report_studies`.

    Returns:
        What ``json.dumps`` takes.

    Example:
        >>> import numpy as np
        >>> from monai_medmamba.dicom import Algorithm, class_codes, report_studies
        >>> scan, values = __import__("pydicom").data.get_testdata_file("CT_small.dcm"), np.float32([[0.25, 0.75]])
        >>> studies, _ = report_studies([scan], values, class_codes(["a", "b"]), Algorithm("x", "1"))
        >>> [entry["resource"]["resourceType"] for entry in fhir_bundle(studies[0])["entry"]]
        ['DiagnosticReport', 'Device', 'Observation']
    """
    with discreet():
        return _bundle(study.report, study.headers)


def _bundle(report: Report, headers: Sequence[Dataset]) -> dict[str, Any]:
    device = _device(report)
    observations = [
        _observation(report, result, header, device["fullUrl"])
        for result, header in zip(report.results, headers, strict=True)
    ]
    diagnostic = {
        "resourceType": "DiagnosticReport",
        "contained": [_imaging_study(report, report.results, headers)],
        "status": PRELIMINARY,
        "category": [_concept(f"{TERMINOLOGY}/v2-0074", "IMG", "Diagnostic Imaging")],
        "code": _concept(SYSTEMS["LN"], "18748-4", "Diagnostic imaging study"),
        "subject": _subject(headers[0]),
        **_effective(headers[0]),
        "issued": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "imagingStudy": [{"reference": "#study"}],
        "result": [{"reference": entry["fullUrl"]} for entry in observations],
    }
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [_entry(diagnostic, report.study, "report"), device, *observations],
    }


def _entry(resource: dict[str, Any], *names: str) -> dict[str, Any]:
    return {"fullUrl": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(names))}", "resource": resource}


def _device(report: Report) -> dict[str, Any]:
    algorithm = report.algorithm
    resource = {
        "resourceType": "Device",
        "status": "active",
        "deviceName": [{"name": algorithm.name, "type": "model-name"}],
        "version": [{"value": algorithm.version}],
    }
    return _entry(resource, algorithm.name, algorithm.version)


def _observation(report: Report, result: Result, header: Dataset, device: str) -> dict[str, Any]:
    present = report.present(result)
    resource = {
        "resourceType": "Observation",
        "contained": [_imaging_study(report, [result], [header])],
        "status": PRELIMINARY,
        "category": [_concept(f"{TERMINOLOGY}/observation-category", "imaging", "Imaging")],
        "code": _concept(SYSTEMS["DCM"], "121071", "Finding"),
        "subject": _subject(header),
        **_effective(header),
        **({} if report.several_labels else {"valueCodeableConcept": _class(report.codes[present.index(True)])}),
        "device": {"reference": device},
        "derivedFrom": [{"reference": "#study"}],
        "component": [
            _component(code, value, there)
            for code, value, there in zip(report.codes, result.probabilities, present, strict=True)
        ],
    }
    return _entry(resource, report.study, result.instances[0].uid, report.algorithm.name, report.algorithm.version)


def _component(code: Code, probability: float, there: bool) -> dict[str, Any]:
    meaning = ("POS", "Positive") if there else ("NEG", "Negative")
    return {
        "code": _class(code),
        "valueQuantity": {"value": probability, "unit": "probability", "system": SYSTEMS["UCUM"], "code": "1"},
        "interpretation": [_concept(f"{TERMINOLOGY}/v3-ObservationInterpretation", *meaning)],
    }


def _imaging_study(report: Report, results: Sequence[Result], headers: Sequence[Dataset]) -> dict[str, Any]:
    """Returns the study with the instances that results come from, for the resource that contains it."""
    series: dict[str, list[Instance]] = {}
    modalities: dict[str, str] = {}
    for result, header in zip(results, headers, strict=True):
        for instance in result.instances:
            series.setdefault(instance.series, []).append(instance)
            modalities.setdefault(instance.series, str(header.get("Modality") or "OT"))
    accession = str(headers[0].get("AccessionNumber") or "")
    number = {"type": _concept(f"{TERMINOLOGY}/v2-0203", "ACSN", "Accession ID"), "value": accession}
    return {
        "resourceType": "ImagingStudy",
        "id": "study",
        "identifier": [{"system": DICOM_UID, "value": f"urn:oid:{report.study}"}, *([number] if accession else [])],
        "status": "available",
        "subject": _subject(headers[0]),
        "series": [
            {
                "uid": uid,
                "modality": {"system": SYSTEMS["DCM"], "code": modalities[uid]},
                "instance": [
                    {"uid": one.uid, "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{one.sop_class}"}}
                    for one in instances
                ],
            }
            for uid, instances in series.items()
        ],
    }


def _subject(header: Dataset) -> dict[str, Any]:
    number, issuer = (str(header.get(keyword) or "").strip() for keyword in ("PatientID", "IssuerOfPatientID"))
    if not number:
        return {"type": "Patient", "display": "unknown"}
    assigner = {"assigner": {"display": issuer}} if issuer else {}
    return {"type": "Patient", "identifier": {"value": number, **assigner}}


def _effective(header: Dataset) -> dict[str, str]:
    """Returns when the images were taken; nothing where the study does not say it, or not rightly."""
    try:
        day = datetime.datetime.strptime(str(header.get("StudyDate") or ""), "%Y%m%d")
    except ValueError:
        return {}
    return {"effectiveDateTime": day.date().isoformat()}


def _class(code: Code) -> dict[str, Any]:
    return {**_concept(SYSTEMS.get(code.scheme, ""), code.value, code.meaning), "text": code.meaning}


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    """Returns a CodeableConcept; a scheme without a URI, such as a private one, leaves the system out."""
    return {"coding": [{**({"system": system} if system else {}), "code": code, "display": display}]}
