import pytest

pytest.importorskip("highdicom", reason="fills the modules of an instance")

from monai_medmamba.dicom import read_sources
from monai_medmamba.dicom.inherited import EMPTY, nameless
from testing.dicom_patients import write_patient


def test_a_stub_says_nothing_of_the_patient():
    stub = nameless("1.2.840.10008.5.1.4.1.1.1", "1.2.3", "1.2", "1")
    assert {element.keyword for element in stub if not element.is_empty} == {
        "SOPClassUID",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    }
    assert all(keyword in stub for keyword in EMPTY)


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.1", "1.2.3.4.5"], ids=["known", "private"])
def test_what_is_copied(tmp_path, sop_class):
    from highdicom.sc import SCImage  # noqa: F401  what the copy is made into

    from monai_medmamba.dicom import write_secondary_capture

    extra = {"SOPClassUID": sop_class, "EthnicGroup": "", "PatientComments": "left", "InstitutionName": "General"}
    [header] = read_sources(write_patient(tmp_path / "a.dcm", **extra))
    import numpy as np
    import pydicom

    write_secondary_capture(tmp_path / "sc.dcm", np.zeros((4, 5, 3), np.uint8), header, "a map")
    copy = pydicom.dcmread(tmp_path / "sc.dcm")
    assert copy.PatientComments == "left"
    assert "EthnicGroup" not in copy, "an empty element says nothing"
    assert "InstitutionName" not in copy, "that of the scanner is not that of the program"
    assert all(keyword in copy for keyword in EMPTY)
