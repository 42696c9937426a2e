import json

import pytest

from monai_medmamba.handlers import EvaluationFiles
from monai_medmamba.metrics import classification_metrics, read_predictions
from testing.training import CLASS_NAMES, Toy


@pytest.fixture
def toy():
    return Toy()


def test_an_evaluation_leaves_predictions_figures_and_a_report_that_agree(toy, tmp_path):
    EvaluationFiles(tmp_path, CLASS_NAMES, split="test", checkpoint="/srv/models/model.pt").attach(toy.evaluator)
    toy.evaluator.run()
    predictions = read_predictions(tmp_path / "evaluation" / "predictions.csv")
    figures = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    expected = classification_metrics(predictions.probabilities, predictions.labels, CLASS_NAMES)
    assert {key: figures[key] for key in expected} == expected
    assert figures["auc"] == pytest.approx(toy.evaluator.state.metrics["val_auc"])
    assert (figures["split"], figures["images"], figures["checkpoint"]) == ("test", 8, "model.pt")
    page = (tmp_path / "report.html").read_text()
    assert f"{figures['accuracy']:.3f}" in page
    assert "/srv/models" not in page


def test_kinds_of_labels_that_differ_are_refused(toy, tmp_path):
    EvaluationFiles(tmp_path, CLASS_NAMES, split="test", several_labels=True).attach(toy.evaluator)
    with pytest.raises(ValueError, match="test split have one label, and the weights are for several"):
        toy.evaluator.run()
    assert not (tmp_path / "evaluation").exists()


def test_an_inference_leaves_predictions_alone(toy, tmp_path):
    EvaluationFiles(tmp_path, CLASS_NAMES).attach(toy.evaluator)
    toy.evaluator.run()
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]
    assert read_predictions(tmp_path / "predictions.csv").labels is None
