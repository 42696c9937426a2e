import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

from monai_medmamba.dicom import SourceError, read_sources  # noqa: E402
from testing.dicom_files import write_dicom  # noqa: E402
from testing.dicom_patients import SECRETS, write_patient  # noqa: E402


def test_a_file(tmp_path):
    [header] = read_sources(write_patient(tmp_path / "without suffix"))
    assert header.SOPInstanceUID == "1.2.826.0.1.1.1"
    assert "PixelData" not in header


def test_a_folder_with_a_series(tmp_path):
    for number in (1, 2, 3):
        write_patient(tmp_path / f"{number}.dcm", number=number, Modality="CT")
    (tmp_path / "notes.txt").write_text("no image")
    assert len(read_sources(tmp_path)) == 3
    write_patient(tmp_path / "other.dcm", series="2", Modality="CT")
    with pytest.raises(SourceError, match="2 series that may be meant"):
        read_sources(tmp_path)
    assert len(read_sources(tmp_path, "1.2.826.0.1.2")) == 1
    assert len(read_sources(tmp_path, "largest")) == 3


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
@pytest.mark.parametrize("value", [None, "", "../../etc/passwd", "1..2", "1." * 40 + "1"])
def test_identifiers(tmp_path, keyword, value):
    file = write_patient(tmp_path / "a.dcm")
    dataset = pydicom.dcmread(file)
    if value is None:
        del dataset[keyword]
    else:
        dataset.add(pydicom.DataElement(keyword, "UI", value, validation_mode=0))
    dataset.save_as(file, enforce_file_format=False)
    with pytest.raises(SourceError, match=f"a.dcm: expected a valid {keyword}, which a report refers to, got none"):
        read_sources(file)


def test_what_is_no_image(tmp_path):
    report = pydicom.dcmread(write_patient(tmp_path / "sr.dcm", Modality="SR"))
    for keyword in ("Rows", "Columns", "PixelData"):
        del report[keyword]
    report.save_as(tmp_path / "sr.dcm")
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty.dcm").write_bytes(b"")
    write_patient(tmp_path / "cut.dcm")
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "cut.dcm").read_bytes()[:180])
    for name, message in {
        "sr.dcm": "without a picture",
        "a.png": "expected a DICOM file, got another",
        "empty.dcm": "expected a DICOM file, got another",
        "cut.dcm": "damaged|without a picture",
        "none.dcm": "No such file or directory; check the path",
    }.items():
        with pytest.raises(SourceError, match=message) as caught:
            read_sources(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert str(tmp_path) not in caught.value.reason


def test_no_value_is_quoted(tmp_path):
    """A damaged element is said to be damaged, and no more: its text may be the patient's."""
    file = write_patient(tmp_path / "a.dcm", number=1)
    write_patient(tmp_path / "b.dcm", number=2)
    dataset = pydicom.dcmread(file)
    dataset.add(pydicom.DataElement("NumberOfFrames", "IS", "1"))
    dataset.save_as(file)
    data = file.read_bytes()
    at = data.index(b"(\x00\x08\x00IS")
    file.write_bytes(data[: at + 6] + b"\x0c\x00Quillfeather" + data[at + 10 :])
    with pytest.raises(SourceError) as caught:
        read_sources(tmp_path)
    assert "damaged" in str(caught.value)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_other_files_of_tests_have_no_identifiers(tmp_path):
    with pytest.raises(SourceError, match="SeriesInstanceUID, StudyInstanceUID"):
        read_sources(write_dicom(tmp_path / "a.dcm", np.zeros((3, 4), np.uint8)))
