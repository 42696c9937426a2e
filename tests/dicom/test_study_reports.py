import numpy as np
import pytest

pytest.importorskip("highdicom", reason="structured reports are written by highdicom")

from monai_medmamba.dicom import class_codes, read_report, report_studies, write_reports
from testing.dicom_patients import SECRETS, write_patient
from testing.dicom_reports import ALGORITHM, CLASSES

CODES = class_codes(CLASSES)


def rows(count):
    return np.tile(np.float32([[0.2, 0.7, 0.1]]), (count, 1))


def test_a_report_for_each_study(tmp_path):
    files = [
        write_patient(tmp_path / "a.dcm", study="1.2.1"),
        write_patient(tmp_path / "b.dcm", study="1.2.2", PatientID="other"),
        write_patient(tmp_path / "c.dcm", study="1.2.1", series="7"),
    ]
    studies, missed = report_studies([str(file) for file in files], rows(3), CODES, ALGORITHM)
    assert missed == []
    assert [study.report.study for study in studies] == ["1.2.1", "1.2.2"]
    assert [len(study.report.results) for study in studies] == [2, 1]
    assert studies[0].images == (str(files[0]), str(files[2]))
    written = write_reports(tmp_path / "out", studies)
    assert [file.name for file in written] == ["1.2.1-report.dcm", "1.2.2-report.dcm"]
    assert [read_report(file) for file in written] == [study.report for study in studies]
    write_reports(tmp_path / "out", studies)
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_what_cannot_be_reported_is_listed(tmp_path):
    good = write_patient(tmp_path / "good.dcm")
    again = write_patient(tmp_path / "again.dcm")
    (tmp_path / "text.dcm").write_text("no DICOM")
    mixed = [
        write_patient(tmp_path / "mixed1.dcm", study="1.3"),
        write_patient(tmp_path / "mixed2.dcm", study="1.3", number=2, PatientID="777123-B"),
    ]
    files = [good, again, tmp_path / "text.dcm", tmp_path / "none.dcm", *mixed]
    studies, missed = report_studies([str(file) for file in files], rows(len(files)), CODES, ALGORITHM)
    assert [study.images for study in studies] == [(str(good),)]
    reasons = {one.name.rpartition("/")[2]: one.reason for one in missed}
    assert "another file of the table has its SOPInstanceUID" in reasons["again.dcm"]
    assert "expected a DICOM file" in reasons["text.dcm"]
    assert "No such file" in reasons["none.dcm"]
    assert reasons["mixed1.dcm"] == reasons["mixed2.dcm"]
    assert "different patients under one StudyInstanceUID" in reasons["mixed1.dcm"]
    assert not [secret for secret in SECRETS if secret in "".join(reasons.values())]


def test_relative_names(tmp_path):
    write_patient(tmp_path / "in" / "a.dcm")
    studies, missed = report_studies(["in/a.dcm"], rows(1), CODES, ALGORITHM, root=tmp_path)
    assert (len(studies), missed) == (1, [])
    assert studies[0].images == ("in/a.dcm",)


def test_nothing_at_all():
    assert report_studies([], rows(0), CODES, ALGORITHM) == ([], [])
