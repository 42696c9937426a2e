import json
import os
from dataclasses import replace

import numpy as np
import pytest

from monai_medmamba.inference import Failure, ImageClassifier, Outcome, Preprocessing, write_results
from monai_medmamba.metrics import FindingPredictions, Predictions, read_findings, read_predictions

MODEL = ImageClassifier("models/w.pt", ("ä", "b"), Preprocessing(32, (0.5,) * 3, (0.25,) * 3), lambda batch: batch)
TABLE = np.float32([[0.1, 0.9], [0.7, 0.3]])
IMAGES = ["a/1.png", "b/größe 図.png"]
OUTCOME = Outcome(Predictions(IMAGES, None, TABLE, ["ä", "b"]), [Failure("c.png", "it is empty. Copy it again.")])


def test_csv_is_the_bundles_table(tmp_path):
    write_results(tmp_path / "new" / "out.CSV", OUTCOME, MODEL)
    found = read_predictions(tmp_path / "new" / "out.CSV")
    assert (found.images, found.labels, found.class_names) == (IMAGES, None, ["ä", "b"])
    assert np.array_equal(found.probabilities, TABLE)


def test_json_holds_everything(tmp_path):
    write_results(tmp_path / "out.json", OUTCOME, MODEL)
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert "größe 図" in text
    assert json.loads(text) == {
        "weights": "w.pt",
        "class_names": ["ä", "b"],
        "preprocessing": {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3},
        "temperature": 1.0,
        "predictions": [
            {"image": IMAGES[0], "prediction": "b", "confidence": 0.9, "probabilities": {"ä": 0.1, "b": 0.9}},
            {"image": IMAGES[1], "prediction": "ä", "confidence": 0.7, "probabilities": {"ä": 0.7, "b": 0.3}},
        ],
        "failures": [{"image": "c.png", "reason": "it is empty. Copy it again."}],
    }


def test_several_labels(tmp_path):
    model = replace(MODEL, several_labels=True)
    outcome = Outcome(FindingPredictions(IMAGES, None, np.float32([[0.5, 0.9], [0.2, 0.3]]), ["ä", "b"]), [])
    write_results(tmp_path / "out.csv", outcome, model)
    assert read_findings(tmp_path / "out.csv").found == [["ä", "b"], []]
    write_results(tmp_path / "out.json", outcome, model)
    content = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert content["several_labels"] is True
    assert content["predictions"][0] == {
        "image": IMAGES[0],
        "found": ["ä", "b"],
        "probabilities": {"ä": 0.5, "b": 0.9},
    }
    write_results(tmp_path / "out.csv", Outcome(replace_images(outcome), []), model)
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines() == ['"image","found","prob_ä","prob_b"']


def replace_images(outcome):
    """Return predictions of no image."""
    return replace(outcome.predictions, images=[], probabilities=outcome.predictions.probabilities[:0])


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_names_that_are_not_utf_8(tmp_path, suffix):
    name = os.fsdecode(b"gr\xf6\xdfe.png")
    outcome = Outcome(Predictions([name], None, TABLE[:1], ["ä", "b"]), [])
    write_results(tmp_path / f"out{suffix}", outcome, MODEL)
    if suffix == ".csv":
        assert read_predictions(tmp_path / "out.csv").images == [name]
    else:
        assert json.loads((tmp_path / "out.json").read_text("utf-8"))["predictions"][0]["image"] == name


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_nothing_was_read(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_text("of yesterday")
    write_results(path, Outcome(Predictions([], None, TABLE[:0], ["ä", "b"]), OUTCOME.failures), MODEL)
    if suffix == ".csv":
        assert path.read_text("utf-8").splitlines() == ['"image","label","prediction","confidence","prob_ä","prob_b"']
    else:
        assert json.loads(path.read_text("utf-8"))["predictions"] == []


def test_invalid_arguments(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.csv or \.json"):
        write_results(tmp_path / "out.xlsx", OUTCOME, MODEL)
    assert list(tmp_path.iterdir()) == []
