"""DICOM files of patients who do not exist, with names that must not leak."""

from pathlib import Path
from typing import Any

import numpy as np

from monai_medmamba.discretion import discreet
from testing.dicom_files import write_dicom

PATIENT = {
    "PatientName": "Quillfeather^Zebulon",
    "PatientID": "MRN-777123",
    "PatientBirthDate": "1947/02/28",  # no date of DICOM: pydicom warns of it, and quotes it
    "AccessionNumber": "ACC-555888",
    "PatientSex": "M",
}
SECRETS = ("Quillfeather", "Zebulon", "777123", "1947/02/28", "1947-02-28", "19470228", "555888")


def write_patient(path: Path, *, study: str = "1.2.826.0.1", series: str = "1", number: int = 1, **tags: Any) -> Path:
    """Write a small radiograph of ``PATIENT`` as instance ``number`` of a series; ``tags`` replace or add elements."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 255, (20, 24), dtype=np.uint8)
    uids = {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"{study}.{series}",
        "SOPInstanceUID": f"{study}.{series}.{number}",
    }
    kept = {
        **PATIENT,
        **uids,
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "Modality": "CR",
        "BodyPartExamined": "CHEST",
        "StudyDate": "20260102",
        "StudyTime": "030405",
        "StudyID": "S1",
        "ReferringPhysicianName": "Quillfeather^Referrer",
        **tags,
    }
    with discreet():  # pydicom talks of what is wrong on purpose
        return write_dicom(path, pixels, **{name: value for name, value in kept.items() if value is not None})
