import logging

import numpy as np
import pydicom
import pytest

highdicom = pytest.importorskip("highdicom", reason="structured reports are written by highdicom")

from monai_medmamba.dicom import (  # noqa: E402
    Code,
    class_codes,
    read_report,
    read_sources,
    report_studies,
    write_report,
)
from testing.dicom_patients import PATIENT, SECRETS, write_patient  # noqa: E402
from testing.dicom_reports import ALGORITHM, CLASSES, ROWS, study_report  # noqa: E402
from testing.dicom_validator import dicom_errors  # noqa: E402

VALID = {"PatientBirthDate": "19470228"}  # the birth date of PATIENT is none, which dciodvfy says


def written(tmp_path, study):
    path = tmp_path / "out" / "report.dcm"
    write_report(path, study.report, study.headers[0])
    return path


@pytest.mark.parametrize("several", [False, True], ids=["one class", "several labels"])
def test_round_trip_and_validity(tmp_path, several):
    files = [write_patient(tmp_path / f"{number}.dcm", number=number, **VALID) for number in (1, 2, 3)]
    study = study_report(*files, several_labels=several)
    path = written(tmp_path, study)
    assert read_report(path) == study.report
    assert dicom_errors(path) == []


def test_what_it_says(tmp_path):
    """The content tree, read by highdicom without a line of ours."""
    study = study_report(write_patient(tmp_path / "a.dcm"), write_patient(tmp_path / "b.dcm", number=2))
    document = highdicom.sr.srread(written(tmp_path, study))
    assert document.SOPClassUID.name == "Enhanced SR Storage"
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (document.CompletionFlag, document.PreliminaryFlag) == ("COMPLETE", "PRELIMINARY")
    assert document.VerificationFlag == "UNVERIFIED"
    groups = document.content.get_image_measurement_groups()
    assert len(groups) == 2 * 3
    for place, group in enumerate(groups):
        image, label = divmod(place, 3)
        [probability] = group.get_measurements()
        assert (probability.name.value, probability.name.scheme_designator) == ("122157", "DCM")
        assert probability.value == float(ROWS[image, label])
        assert (probability.unit.value, probability.unit.scheme_designator) == ("1", "UCUM")
        [answer] = group.get_qualitative_evaluations()
        assert answer.name == group.finding_type
        assert answer.value.meaning == ("Present" if label == ROWS[image].argmax() else "Absent")
        [source] = group.source_images
        assert source.referenced_sop_instance_uid == f"1.2.826.0.1.1.{image + 1}"
        assert source.referenced_sop_class_uid == "1.2.840.10008.5.1.4.1.1.1"
    assert [group.finding_type.meaning for group in groups[:3]] == CLASSES
    assert {group.finding_type.scheme_designator for group in groups} == {"99MEDMAMBA"}
    assert document.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99MEDMAMBA"
    [observer] = document.content.get_observer_contexts()
    assert observer.observer_identifying_attributes.name == ALGORITHM.name
    [evidence] = document.CurrentRequestedProcedureEvidenceSequence
    assert evidence.StudyInstanceUID == "1.2.826.0.1"
    assert evidence.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.826.0.1.1"


def test_patient_and_study_are_those_of_the_images(tmp_path):
    file = write_patient(tmp_path / "a.dcm", IssuerOfPatientID="HOSPITAL", PatientAge="078Y", StudyDescription="chest")
    report = pydicom.dcmread(written(tmp_path, study_report(file)))
    source = pydicom.dcmread(file)
    kept = (*PATIENT, "IssuerOfPatientID", "PatientAge", "StudyDescription", "StudyInstanceUID", "StudyID", "StudyDate")
    for keyword in (*kept, "StudyTime", "ReferringPhysicianName"):
        assert report.get(keyword) == source.get(keyword), keyword
    assert report.SeriesInstanceUID != source.SeriesInstanceUID
    assert report.Modality == "SR"


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        ("ISO_IR 100", "Äneas^Jürgen"),
        ("ISO_IR 192", "Wáng^XiǎoDōng=王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 144", "Пушкин^Иван"),
        (None, "Doe^Jane"),
    ],
)
def test_names_of_any_script(tmp_path, characters, name):
    file = write_patient(tmp_path / "a.dcm", SpecificCharacterSet=characters, PatientName=name, **VALID)
    path = written(tmp_path, study_report(file))
    report = pydicom.dcmread(path)
    assert str(report.PatientName) == name
    assert report.SpecificCharacterSet == "ISO_IR 192"
    assert dicom_errors(path) == []


def test_a_patient_without_number_or_name(tmp_path):
    absent = dict.fromkeys((*PATIENT, "StudyDate", "StudyTime", "StudyID", "ReferringPhysicianName"))
    path = written(tmp_path, study_report(write_patient(tmp_path / "a.dcm", **absent)))
    report = pydicom.dcmread(path)
    assert report.PatientID == ""
    assert report.PatientName == ""
    assert dicom_errors(path) == []


def test_identity_removed_without_saying_how(tmp_path):
    """A source of type 1C that is there and empty would make the report invalid."""
    file = write_patient(tmp_path / "a.dcm", PatientIdentityRemoved="YES", DeidentificationMethod="", **VALID)
    path = written(tmp_path, study_report(file))
    assert dicom_errors(path) == []
    assert pydicom.dcmread(path).PatientIdentityRemoved == "YES"


def test_frames_and_volumes(tmp_path):
    """An enhanced file is referred to as a whole or by frames; a series by each of its instances."""
    frames = np.zeros((3, 8, 8), np.uint8)
    file = write_patient(tmp_path / "cine.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1", **VALID)
    dataset = pydicom.dcmread(file)
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns, dataset.PixelData = 3, 8, 8, frames.tobytes()
    dataset.save_as(file)
    study = study_report(file)
    [result] = study.report.results
    chosen = type(result)((result.instances[0]._replace(frames=(2, 3)),), result.probabilities)
    report = type(study.report)(study.report.study, ALGORITHM, study.report.codes, False, (chosen,))
    path = tmp_path / "frames.dcm"
    write_report(path, report, study.headers[0])
    assert read_report(path) == report
    assert read_report(path).results[0].instances[0].frames == (2, 3)
    assert dicom_errors(path) == []

    series = [write_patient(tmp_path / "ct" / f"{n}.dcm", number=n, Modality="CT", **VALID) for n in (1, 2, 3)]
    study = study_report(series[0].parent)
    assert {one.uid for one in study.report.results[0].instances} == {f"1.2.826.0.1.1.{n}" for n in (1, 2, 3)}
    path = written(tmp_path, study)
    assert read_report(path) == study.report
    assert dicom_errors(path) == []


def test_private_tags_and_long_codes(tmp_path):
    file = write_patient(tmp_path / "a.dcm", **VALID)
    dataset = pydicom.dcmread(file)
    dataset.private_block(0x0011, "ACME", create=True).add_new(0x01, "LO", "Quillfeather^Zebulon")
    dataset.save_as(file)
    codes = {"a": Code("12345678901234567890", "SCT", "long"), "b": Code("68496003", "SCT", "Polyp")}
    [study], _ = report_studies([str(file)], np.float32([[0.5, 0.5]]), codes, ALGORITHM)
    path = written(tmp_path, study)
    assert read_report(path) == study.report
    report = pydicom.dcmread(path)
    assert not [element for element in report if element.tag.is_private]
    assert "CodingSchemeIdentificationSequence" not in report
    assert dicom_errors(path) == []


def test_a_broken_report_is_found_by_the_validator(tmp_path):
    """The check above can fail."""
    path = written(tmp_path, study_report(write_patient(tmp_path / "a.dcm", **VALID)))
    report = pydicom.dcmread(path)
    del report.CompletionFlag
    report.save_as(path)
    assert "CompletionFlag" in "".join(dicom_errors(path))


def test_a_header_of_another_study(tmp_path):
    study = study_report(write_patient(tmp_path / "a.dcm"))
    other = read_sources(write_patient(tmp_path / "b.dcm", study="1.2.9"))[0]
    with pytest.raises(ValueError, match="another study"):
        write_report(tmp_path / "r.dcm", study.report, other)
    assert not (tmp_path / "r.dcm").exists()


def test_nothing_of_the_patient_is_logged(tmp_path, caplog, capfd, recwarn):
    """Values that break the standard's rules, which pydicom and highdicom quote where they find them."""
    caplog.set_level(logging.DEBUG)
    broken = {"PatientName": "Quillfeather Zebulon " * 8, "PatientSex": "Quillfeather", "PatientID": "777123" * 20}
    source = write_patient(tmp_path / "a.dcm", **broken)
    caplog.clear()  # writing the source made pydicom talk
    recwarn.clear()
    capfd.readouterr()
    study = study_report(source)
    path = written(tmp_path, study)
    assert read_report(path) == study.report
    said = caplog.text + "".join(capfd.readouterr()) + "".join(str(one.message) for one in recwarn)
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.real_data
def test_real_files_of_every_kind(medmamba_data, tmp_path):
    """Public files of many transfer syntaxes and makers: each that has identifiers gives a valid report."""
    files = sorted((medmamba_data / "dicom" / "transfer_syntaxes").glob("*.dcm"))
    values = np.tile(ROWS[:1], (len(files), 1))
    studies, missed = report_studies([str(file) for file in files], values, class_codes(CLASSES), ALGORITHM)
    assert len(studies) >= 20
    assert {"twice" if "another file" in one.reason else "no UIDs" for one in missed} == {"twice", "no UIDs"}
    for study in studies:
        path = written(tmp_path, study)
        assert read_report(path) == study.report
        assert dicom_errors(path) == [], study.images
