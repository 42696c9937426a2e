import pytest

from monai_medmamba.visualize.limits import limits

DATA = {"level": "patient", "patients_in_two_splits": 0, "repeated_files": {"across_splits": 0}}
EVIDENCE = {"data": DATA, "operating_points": [], "calibration": {"temperature": 1.3}}
GOOD = {"metrics": {"per_class": [{"class": "polyp", "support": 100}]}, "run": {}, "evidence": EVIDENCE}


def with_data(**changes):
    return {**GOOD, "evidence": {**EVIDENCE, "data": {**DATA, **changes}}}


def test_a_good_run_still_has_its_limits():
    assert len(limits(GOOD)) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({**GOOD, "run": {"dataset_kind": "phantoms"}}, "synthetic phantoms"),
        (with_data(level="image"), "Patients are not known"),
        (with_data(patients_in_two_splits=2), "Some patients are in two splits"),
        (with_data(repeated_files={"across_splits": 1}), "Some files are in two splits"),
        ({**GOOD, "evidence": {**EVIDENCE, "data": None}}, "No data list"),
        ({**GOOD, "evidence": {**EVIDENCE, "operating_points": None}}, "no threshold was chosen"),
        ({**GOOD, "evidence": {**EVIDENCE, "calibration": {"temperature": 1.0}}}, "No temperature was fitted"),
        ({**GOOD, "metrics": {"per_class": [{"class": "rare", "support": 3}]}}, "few test images.*: rare."),
        ({**GOOD, "evidence": None}, "No data list"),
        ({**GOOD, "evidence": {**EVIDENCE, "figures": {"auc": {"low": 1.0, "high": 1.0}}}}, "intervals have no width"),
    ],
)
def test_each_fault_is_said(content, sentence):
    import re

    found = limits(content)
    assert len(found) == 3
    assert re.search(sentence, found[0])
