import copy
import json

import pytest

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

from monai_medmamba.dicom import Algorithm, Code, fhir_bundle, report_studies, write_fhir
from testing.dicom_patients import write_patient
from testing.dicom_reports import CLASSES, ROWS, study_report
from testing.fhir_r4 import fhir_faults


@pytest.fixture
def study(tmp_path):
    return study_report(write_patient(tmp_path / "a.dcm"), write_patient(tmp_path / "b.dcm", series="2", Modality="DX"))


def test_what_it_says(study):
    bundle = fhir_bundle(study)
    diagnostic, device, *observations = [entry["resource"] for entry in bundle["entry"]]
    assert (bundle["type"], len(observations)) == ("collection", 2)
    assert [one["reference"] for one in diagnostic["result"]] == [one["fullUrl"] for one in bundle["entry"][2:]]
    assert diagnostic["status"] == "preliminary"
    assert diagnostic["code"]["coding"][0]["code"] == "18748-4"
    assert diagnostic["effectiveDateTime"] == "2026-01-02"
    assert diagnostic["subject"]["identifier"] == {"value": "MRN-777123"}
    whole = diagnostic["contained"][0]
    assert whole["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:1.2.826.0.1"}
    assert whole["identifier"][1]["value"] == "ACC-555888"
    assert [(one["uid"], one["modality"]["code"]) for one in whole["series"]] == [
        ("1.2.826.0.1.1", "CR"),
        ("1.2.826.0.1.2", "DX"),
    ]
    assert device["version"][0]["value"] == study.report.algorithm.version
    for place, observation in enumerate(observations):
        assert observation["valueCodeableConcept"]["text"] == CLASSES[ROWS[place].argmax()]
        values = [part["valueQuantity"]["value"] for part in observation["component"]]
        assert values == ROWS[place].astype(float).tolist()
        [instance] = observation["contained"][0]["series"][0]["instance"]
        assert instance["uid"] == study.report.results[place].instances[0].uid
        assert observation["device"]["reference"] == bundle["entry"][1]["fullUrl"]


def test_what_the_standard_requires(study, tmp_path):
    absent = dict.fromkeys(("PatientID", "AccessionNumber", "StudyDate", "PatientName"))
    nameless = study_report(write_patient(tmp_path / "c.dcm", study="1.9", **absent))
    several = study_report(write_patient(tmp_path / "d.dcm", study="1.8"), several_labels=True)
    for one in (study, nameless, several):
        assert fhir_faults(fhir_bundle(one)) == []
    assert "valueCodeableConcept" not in fhir_bundle(several)["entry"][2]["resource"]
    assert "effectiveDateTime" not in fhir_bundle(nameless)["entry"][0]["resource"]


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        (0, "status", None),
        (0, "status", "done"),
        (0, "result", [{"reference": "urn:uuid:nowhere"}]),
        (2, "code", None),
        (2, "derivedFrom", None),
        (2, "component", [{"valueQuantity": {"value": 1}}]),
        (2, "category", []),
    ],
)
def test_the_check_finds_faults(study, place, key, value):
    broken = copy.deepcopy(fhir_bundle(study))
    resource = broken["entry"][place]["resource"]
    resource.pop(key)
    if value is not None:
        resource[key] = value
    assert fhir_faults(broken)


def test_models_of_the_standard_accept_it(study):
    bundle = pytest.importorskip("fhir.resources.R4B.bundle", reason="models of FHIR R4B")
    content = fhir_bundle(study)
    assert len(bundle.Bundle.model_validate(content).entry) == 4
    del content["entry"][0]["resource"]["status"]
    with pytest.raises(ValueError, match="status"):
        bundle.Bundle.model_validate(content)


def test_the_same_report_has_the_same_identifiers(study):
    first, second = fhir_bundle(study), fhir_bundle(study)
    assert [entry["fullUrl"] for entry in first["entry"]] == [entry["fullUrl"] for entry in second["entry"]]


def test_code_systems(tmp_path):
    codes = {"a": Code("68496003", "SCT", "Polyp"), "b": Code("1", "99MEDMAMBA", "b")}
    files = [str(write_patient(tmp_path / "a.dcm"))]
    [study], _ = report_studies(files, ROWS[:1, :2], codes, Algorithm("x", "1"))
    parts = fhir_bundle(study)["entry"][2]["resource"]["component"]
    assert parts[0]["code"]["coding"] == [{"system": "http://snomed.info/sct", "code": "68496003", "display": "Polyp"}]
    assert parts[1]["code"]["coding"] == [{"code": "1", "display": "b"}]


def test_the_file(study, tmp_path):
    write_fhir(tmp_path / "out" / "r.json", study)
    text = (tmp_path / "out" / "r.json").read_text(encoding="utf-8")
    assert "日本" in text
    assert json.loads(text)["resourceType"] == "Bundle"
