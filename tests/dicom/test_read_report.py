import pytest

highdicom = pytest.importorskip("highdicom", reason="structured reports are read by highdicom")

import pydicom  # noqa: E402

from monai_medmamba.dicom import read_report, write_report  # noqa: E402
from testing.dicom_patients import write_patient  # noqa: E402
from testing.dicom_reports import study_report  # noqa: E402


def test_other_files_are_refused(tmp_path):
    image = write_patient(tmp_path / "image.dcm")
    (tmp_path / "text.dcm").write_text("no DICOM")
    study = study_report(image)
    write_report(tmp_path / "r.dcm", study.report, study.headers[0])
    report = pydicom.dcmread(tmp_path / "r.dcm")
    del report.ContentSequence
    report.save_as(tmp_path / "empty.dcm")
    for name in ("image.dcm", "text.dcm", "empty.dcm"):
        with pytest.raises(
            ValueError, match=f"{name}: expected a structured report that `medmamba report-dicom` wrote"
        ):
            read_report(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_report(tmp_path / "none.dcm")


def test_a_report_without_our_groups(tmp_path):
    """A measurement report of another program, whose groups have other content."""
    study = study_report(write_patient(tmp_path / "image.dcm"))
    write_report(tmp_path / "r.dcm", study.report, study.headers[0])
    report = pydicom.dcmread(tmp_path / "r.dcm")
    measurements = report.ContentSequence[-1]
    measurements.ContentSequence = measurements.ContentSequence[:2]
    report.save_as(tmp_path / "other.dcm")
    assert len(read_report(tmp_path / "other.dcm").codes) == 2  # what is there is read
    for group in measurements.ContentSequence:
        group.ContentSequence = [item for item in group.ContentSequence if item.ValueType != "NUM"]
    report.save_as(tmp_path / "other.dcm")
    with pytest.raises(ValueError, match="got another file"):
        read_report(tmp_path / "other.dcm")
