import json

import pytest

from monai_medmamba.visualize.report_content import report_content, sorted_examples
from monai_medmamba.visualize.run_files import Prediction
from testing.runs import make_run

ROWS = [
    Prediction("d/a", "x", "x", 0.9),
    Prediction("d/b", "y", "x", 0.6),
    Prediction("d/c", "y", "x", 0.8),
    Prediction("d/d", "y", "y", 0.5),
]


def test_the_most_telling_first():
    found = {kind: [row.image[-1] for row in rows] for kind, rows in sorted_examples(ROWS).items()}
    assert found == {"wrong": ["c", "b"], "uncertain": ["d", "b", "c", "a"], "right": ["a", "d"]}


def test_content_names_files_without_folders(tmp_path):
    run = make_run(tmp_path)
    content = report_content(run, "A title", ROWS, 1)
    assert content["examples"]["wrong"] == {
        "total": 2,
        "first": [{"image": "c", "label": "y", "prediction": "x", "confidence": 0.8}],
    }
    assert content["run"]["dataset"] == "Doe^Jane"
    assert str(tmp_path) not in json.dumps(content)
    assert content["metrics"]["checkpoint"] == "best.pt"


def test_metrics_are_needed(tmp_path):
    with pytest.raises(FileNotFoundError, match="evaluate the run"):
        report_content(tmp_path, "title", None, 1)


def test_evidence_of_another_form_is_refused(tmp_path):
    run = make_run(tmp_path, images=30, resamples=20)
    (run / "evaluation" / "evidence.json").write_text("{}")
    with pytest.raises(ValueError, match=r"evidence.json lacks bootstrap.*medmamba report"):
        report_content(run, "title", None, 1)
