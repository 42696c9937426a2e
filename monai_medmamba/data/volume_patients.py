"""Whom DICOM volumes show: enough to keep a patient's volumes together, and no more."""

import logging
from collections.abc import Sequence
from pathlib import Path

from monai_medmamba.data.volume_content import dicom_files, has_dicom_mark, is_nifti_name

logger = logging.getLogger(__name__)


def number_patients(volumes: Sequence[Path]) -> list[str | None]:
    """Returns who each volume shows, by number.

    A PatientID that all volumes share, as anonymisation leaves behind, says nothing, and is passed over. Needs pydicom
    where there are DICOM files.

    Args:
        volumes: Files, and folders with a DICOM series.

    Returns:
        ``"dicom 1"`` for the first patient met, and so on; None where no DICOM file says.
    """
    found = [_patient_of(path) for path in volumes]
    known = [patient for patient in found if patient]
    if len(known) > 1 and len(set(known)) == 1:
        logger.warning("All %d DICOM volumes have the same PatientID: patients count as unknown.", len(known))
        return [None] * len(found)
    numbers = {patient: f"dicom {place}" for place, patient in enumerate(dict.fromkeys(known), start=1)}
    return [numbers[patient] if patient else None for patient in found]


def _patient_of(path: Path) -> str | None:
    """Returns the PatientID of a DICOM file, or of the first of a folder; None where there is none to be read."""
    try:
        if path.is_dir():
            file = next(iter(dicom_files(path)), None)
        else:
            file = None if is_nifti_name(path.name) or not has_dicom_mark(path) else path
    except OSError:
        return None  # the check of contents says what is wrong with it
    if file is None:
        return None
    import pydicom

    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["PatientID"])
    except Exception:  # noqa: BLE001  pydicom raises a different class for each kind of damage; see above
        return None
    return str(header.get("PatientID") or "").strip() or None
