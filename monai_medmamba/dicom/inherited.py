"""Whose study a new instance belongs to: patient and study modules, copied from a source image as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from highdicom.base import SOPClass
    from pydicom import Dataset

__all__ = ["copy_patient_and_study", "nameless"]

CHARACTER_SET = "ISO_IR 192"  # UTF-8 (PS3.3, C.12.1.1.2): class names and patient names of any script in one instance
EMPTY = (  # type 2 of the modules Patient and General Study (PS3.3, C.7.1.1 and C.7.2.1): there, with or without value
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def nameless(sop_class: str, uid: str, series: str, study: str) -> Dataset:
    """Returns a source image that says nothing but its UIDs.

    highdicom takes the patient from it, checks and logs what it takes; so what it gets is empty, and the patient's
    elements are copied afterwards, unread.
    """
    from pydicom import Dataset

    stub = Dataset()
    stub.SOPClassUID, stub.SOPInstanceUID = sop_class, uid
    stub.SeriesInstanceUID, stub.StudyInstanceUID = series, study
    for keyword in EMPTY:
        setattr(stub, keyword, None)
    return stub


def copy_patient_and_study(target: SOPClass, header: Dataset) -> None:
    """Copies the modules Patient, General Study, Patient Study and Clinical Trial (PS3.3, C.7.1 to C.7.2) as they are.

    Args:
        target: The new instance; it is changed.
        header: Of a source image of the same study.
    """
    from pydicom import Dataset

    header.decode()  # from its own character set; writing encodes in the target's
    source = Dataset(header)
    source.SOPClassUID = target.SOPClassUID  # whose modules are to be filled, whatever the source's have
    own = set(target.keys())
    target.copy_patient_and_study_information(source)
    for tag in target.keys() - own:
        if target[tag].is_empty and target[tag].keyword not in EMPTY:
            del target[tag]  # says nothing, and where it is of type 1C, must not be there
    for keyword in EMPTY:
        if keyword not in target:
            setattr(target, keyword, None)
    said = ("DeidentificationMethod", "DeidentificationMethodCodeSequence")
    if target.get("PatientIdentityRemoved") == "YES" and not any(keyword in target for keyword in said):
        target.DeidentificationMethod = "not stated by the source image"  # type 1C: must be there (PS3.3, C.7.1.1)
    target.SpecificCharacterSet = CHARACTER_SET
