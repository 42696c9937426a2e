import json

import pytest

from monai_medmamba.visualize.report_content import report_content
from monai_medmamba.visualize.report_facts import report_facts
from testing.runs import make_run


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return report_content(make_run(tmp_path_factory.mktemp("run")), "title", [], 5)


def test_facts_are_those_of_the_run(content):
    facts = report_facts(content)
    auc = content["evidence"]["figures"]["auc"]
    assert f"AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in facts["performance"]
    assert "Split by patient. " in facts["partitions"]
    assert "test: 90 images of 45 patients" in facts["partitions"]
    assert "epochs 2" in facts["training"]
    assert "2 min 05 s" in facts["hardware"]
    assert f"the temperature {content['metrics']['temperature']:.3f}" in facts["calibration"]
    assert "150 resamples of 45 units (unit: patient)" in facts["uncertainty"]
    assert "Doe^Jane/" not in json.dumps(facts)


def test_no_temperature_is_said(content):
    evidence = {**content["evidence"], "calibration": {**content["evidence"]["calibration"], "temperature": 1.0}}
    assert report_facts({**content, "evidence": evidence})["calibration"].startswith("No temperature was fitted")


def test_what_is_not_known_is_not_there(content):
    facts = report_facts({**content, "run": None, "evidence": None})
    assert set(facts) == {"outcome", "output", "limits", "intended_use"}
