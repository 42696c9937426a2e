import csv
import json

import numpy as np
import pytest

from monai_medmamba.metrics import (
    EvidenceSettings,
    apply_temperature,
    classification_metrics,
    read_predictions,
    write_evidence,
)
from monai_medmamba.metrics.temperature import calibration_summary
from testing.runs import NAMES, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made up"))


@pytest.fixture
def content(run):
    return json.loads((run / "evaluation" / "evidence.json").read_text())


def rows(run, name):
    with (run / "evaluation" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_figures_are_those_of_the_metrics(run, content):
    metrics = json.loads((run / "evaluation" / "metrics.json").read_text())
    for name, row in content["figures"].items():
        assert row["value"] == pytest.approx(metrics[name], abs=1e-6)
    assert content["bootstrap"] | {"unit": "patient", "units": 45, "stratified": False} == content["bootstrap"]


def test_before_is_without_the_temperature(run, content):
    metrics = json.loads((run / "evaluation" / "metrics.json").read_text())
    test = read_predictions(run / "evaluation" / "predictions.csv")
    calibration = content["calibration"]
    assert calibration["temperature"] == metrics["temperature"] != 1
    assert calibration["after"] == calibration_summary(test)
    raw = apply_temperature(test.probabilities, 1 / metrics["temperature"])
    assert calibration["before"]["brier"] == pytest.approx(
        classification_metrics(raw, test.labels, NAMES)["brier"], abs=1e-6
    )


def test_tables_hold_what_the_json_holds(run, content):
    table = {(row["class"], row["figure"]): row for row in rows(run, "figures.csv")}
    assert float(table["", "auc"]["low"]) == content["figures"]["auc"]["low"]
    assert float(table["ulcer", "f1"]["high"]) == content["per_class"][2]["f1"]["high"]
    assert {row["curve"] for row in rows(run, "curves.csv")} == {"roc", "precision_recall", "risk_coverage"}
    (group, *_) = rows(run, "subgroups.csv")
    assert (group["column"], group["group"], group["images"], group["figure"]) == ("site", "n", "45", "accuracy")
    assert float(group["value"]) == content["subgroups"][0]["rows"][0]["figures"]["accuracy"]["value"]


def test_no_patient_is_named(run):
    for path in (run / "evaluation").glob("*"):
        if path.name not in ("predictions.csv", "validation.csv", "metrics.json"):
            assert "Doe" not in path.read_text()


def test_without_validation_and_data_nothing_is_chosen(run, tmp_path):
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "predictions.csv").write_bytes((run / "evaluation" / "predictions.csv").read_bytes())
    content = write_evidence(tmp_path, EvidenceSettings(resamples=20))
    assert content["operating_points"] is content["data"] is content["abstention"]["threshold"] is None
    assert (content["subgroups"], content["bootstrap"]["unit"]) == ([], "image")
    assert content["calibration"]["temperature"] == 1
    assert content["calibration"]["before"]["log_loss"] == pytest.approx(content["calibration"]["after"]["log_loss"])


def test_the_same_run_gives_the_same_evidence(run, content):
    assert write_evidence(run, EvidenceSettings(resamples=150)) == content
    assert write_evidence(run, EvidenceSettings(resamples=150, seed=1))["figures"] != content["figures"]
    write_evidence(run, EvidenceSettings(resamples=150))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("predictions.csv", None, "evaluate the run first"),
        ("predictions.csv", "image\n", "not a table of predictions"),
        ("validation.csv", "image,label,prediction,confidence,prob_x,prob_y\n1.png,x,x,1,1,0\n", "different classes"),
        ("metrics.json", "[]", "metrics.json is damaged"),
    ],
)
def test_damaged_files(run, tmp_path, name, text, message):
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "predictions.csv").write_bytes((run / "evaluation" / "predictions.csv").read_bytes())
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        write_evidence(tmp_path, EvidenceSettings(resamples=5))


def test_unknown_truth_is_refused(tmp_path):
    from monai_medmamba.metrics import write_predictions

    write_predictions(
        tmp_path / "evaluation" / "predictions.csv", ["a.png"], None, np.float32([[0.5, 0.5]]), ["a", "b"]
    )
    with pytest.raises(ValueError, match="known classes"):
        write_evidence(tmp_path)
