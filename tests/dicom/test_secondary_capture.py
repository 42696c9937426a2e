import numpy as np
import pytest

pytest.importorskip("highdicom", reason="secondary captures are written by highdicom")

import pydicom

from monai_medmamba.dicom import read_sources, write_secondary_capture
from monai_medmamba.transforms import decode_dicom
from testing.dicom_patients import write_patient
from testing.dicom_validator import dicom_errors

VALID = {"PatientBirthDate": "19470228"}
PICTURE = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"BodyPartExamined": None},
        {"BodyPartExamined": "KNEE", "Laterality": "L"},
        {"BurnedInAnnotation": "YES"},
        {"PatientID": None, "PatientName": None},
        {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Äneas^Jürgen"},
    ],
    ids=["plain", "no body part", "left", "burned in", "nameless", "umlauts"],
)
def test_pixels_patient_and_validity(tmp_path, tags):
    [header] = read_sources(write_patient(tmp_path / "a.dcm", **{**VALID, **tags}))
    write_secondary_capture(tmp_path / "out" / "map.dcm", PICTURE, header, "größe", number=3)
    found = pydicom.dcmread(tmp_path / "out" / "map.dcm")
    assert np.array_equal(found.pixel_array, PICTURE)
    assert decode_dicom(tmp_path / "out" / "map.dcm").shape == (3, 30, 41)
    assert str(found.PatientName) == tags.get("PatientName", "Quillfeather^Zebulon").__str__().replace("None", "")
    assert found.StudyInstanceUID == header.StudyInstanceUID
    assert found.SeriesInstanceUID != header.SeriesInstanceUID
    assert found.SourceImageSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
    assert (found.DerivationDescription, found.InstanceNumber) == ("größe", 3)
    assert found.get("BurnedInAnnotation") == tags.get("BurnedInAnnotation")
    assert list(found.ImageType) == ["DERIVED", "SECONDARY"]
    assert dicom_errors(tmp_path / "out" / "map.dcm") == []


def test_invalid_arguments(tmp_path):
    [header] = read_sources(write_patient(tmp_path / "a.dcm"))
    for picture in (PICTURE[..., 0], PICTURE.astype(np.float32)):
        with pytest.raises(ValueError, match="expected an RGB picture"):
            write_secondary_capture(tmp_path / "m.dcm", picture, header, "x")
    assert not (tmp_path / "m.dcm").exists()
