"""A picture, such as a map over an image, as a DICOM secondary capture of the same study."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..discretion import discreet
from ..files import atomic_path
from ..version import __version__
from .inherited import CHARACTER_SET, copy_patient_and_study
from .source import need_highdicom
from .structured_report import DESCRIPTION, MANUFACTURER, SERIES_NUMBER

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydicom import Dataset

__all__ = ["write_secondary_capture"]


def write_secondary_capture(
    path: str | os.PathLike[str],
    picture: npt.NDArray[np.uint8],
    header: Dataset,
    derivation: str,
    *,
    series: str | None = None,
    number: int = 1,
) -> None:
    """Writes a picture as an instance of Secondary Capture Image Storage; it appears whole or not at all.

    Source: PS3.3, A.8.1 "Secondary Capture Image". It refers to its image as a source (C.7.6.1.1.4), is derived
    (C.7.6.1.1.2) and synthetic (C.8.6.1), and carries the image's patient and study. Whether text burned into the image
    may name the patient is as the image says it.

    Args:
        path: The file.
        picture: RGB, (H, W, 3).
        header: Of the image that it shows, from :func:`read_sources`.
        derivation: How it was made; at most 1024 characters are kept.
        series: SeriesInstanceUID; None for a series of its own.
        number: Its Instance Number in the series, from 1.

    Raises:
        ValueError: The picture is no RGB picture of bytes.
        RuntimeError: highdicom is not installed.
        OSError: The file cannot be written.

    Example:
        >>> import numpy as np, tempfile
        >>> from monai_medmamba.dicom import read_sources
        >>> from pydicom.data import get_testdata_file
        >>> scan = read_sources(get_testdata_file("CT_small.dcm", download=False))[0]
        >>> write_secondary_capture(tempfile.mkdtemp() + "/map.dcm", np.zeros((8, 9, 3), np.uint8), scan, "a map")
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != "uint8":
        raise ValueError(f"expected an RGB picture (H, W, 3) of bytes, got {picture.shape} of {picture.dtype}")
    need_highdicom()
    from highdicom import UID
    from highdicom.sc import SCImage
    from pydicom import Dataset

    with discreet():
        capture = SCImage(
            pixel_array=picture,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=("L", "F"),
            study_instance_uid=header.StudyInstanceUID,
            series_instance_uid=series or UID(),
            series_number=SERIES_NUMBER + 1,
            sop_instance_uid=UID(),
            instance_number=number,
            manufacturer=MANUFACTURER,
            manufacturer_model_name="MedMamba",
            software_versions=__version__,
            series_description=DESCRIPTION,
            specific_character_set=CHARACTER_SET,
        )
        capture.PatientOrientation = []  # type 2C: the margins of the picture have none (PS3.3, C.7.6.1)
        capture.ConversionType = "SYN"  # Synthetic Image (PS3.3, C.8.6.1)
        capture.ImageType = ["DERIVED", "SECONDARY"]  # PS3.3, C.7.6.1.1.2
        capture.DerivationDescription = derivation[:1024]  # ST (PS3.5, table 6.2-1)
        source = Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
        capture.SourceImageSequence = [source]
        if "BurnedInAnnotation" in header:
            capture.BurnedInAnnotation = header.BurnedInAnnotation
        capture.Laterality = header.get("Laterality")  # type 2C: where the body part may be paired (PS3.3, C.7.3.1)
        copy_patient_and_study(capture, header)
        with atomic_path(path) as temporary:
            capture.save_as(temporary, enforce_file_format=True)
