import csv
import json

import pytest

from monai_medmamba.metrics import read_findings, write_evidence
from testing.finding_runs import LABELS, make_finding_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_finding_run(tmp_path_factory.mktemp("made up"))


@pytest.fixture
def content(run):
    return json.loads((run / "evaluation" / "evidence.json").read_text())


def test_figures_are_those_of_scikit_learn_with_intervals_around_them(run, content):
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    found = read_findings(run / "evaluation" / "predictions.csv")
    truth, scores = found.members, found.probabilities
    expected = {
        "auc": roc_auc_score(truth, scores, average=None),
        "average_precision": average_precision_score(truth, scores, average=None),
        "f1": f1_score(truth, scores >= 0.5, average=None),
    }
    for name, values in expected.items():
        assert content["figures"][name]["value"] == pytest.approx(values.mean())
        for row, value in zip(content["per_class"], values, strict=True):
            assert row[name]["value"] == pytest.approx(value)
            assert row[name]["low"] <= value <= row[name]["high"]
    assert [row["support"] for row in content["per_class"]] == truth.sum(axis=0).tolist()
    assert (content["bootstrap"]["unit"], content["bootstrap"]["units"]) == ("patient", 40)


def test_what_asks_for_one_answer_an_image_is_left_out(content):
    assert content["abstention"] is None
    assert content["calibration"] == {"temperature": 1.0, "validation_images": 80}
    assert content["several_labels"] is True


def test_thresholds_reach_their_target_on_validation(content):
    assert {(row["class"], row["rule"]) for row in content["operating_points"]} == {
        (name, rule) for name in LABELS for rule in ("sensitivity", "specificity")
    }
    assert all(row["validation"][row["rule"]] >= 0.95 for row in content["operating_points"])


def test_subgroups_and_curves_are_tables_too(run, content):
    (table,) = content["subgroups"]
    assert [(row["value"], row["images"]) for row in table["rows"]] == [("n", 40), ("s", 40)]
    with (run / "evaluation" / "curves.csv").open(newline="") as stream:
        assert {row["curve"] for row in csv.DictReader(stream)} == {"roc", "precision_recall"}
    with (run / "evaluation" / "figures.csv").open(newline="") as stream:
        assert {row["class"] for row in csv.DictReader(stream)} == {"", *LABELS}


def test_tables_of_other_labels_are_refused(tmp_path):
    run = make_finding_run(tmp_path, images=30, resamples=5)
    path = run / "evaluation" / "validation.csv"
    path.write_text(path.read_text().replace("mass", "other"))
    with pytest.raises(ValueError, match="name different labels"):
        write_evidence(run)
