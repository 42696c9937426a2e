import dataclasses

import numpy as np
import pytest

from monai_medmamba.data import Datalist
from monai_medmamba.inference import predict
from monai_medmamba.metrics import classification_metrics
from monai_medmamba.robustness import measure_robustness
from monai_medmamba.transforms import ImageReadError


def test_accuracy_falls_with_noise_from_that_of_clean_images(classifier, phantoms):
    measured = measure_robustness(classifier, phantoms, corruptions=("noise", "contrast"))
    noise = [row for row in measured.rows if row.corruption == "noise"]
    assert [row.severity for row in noise] == list(range(6))
    assert noise[0].accuracy > 0.4
    assert noise[5].accuracy < noise[0].accuracy - 0.15
    assert np.polyfit(range(6), [row.accuracy for row in noise], 1)[0] < 0

    samples = phantoms.split("test")
    predictions = predict(classifier, [sample["image"] for sample in samples]).predictions
    clean = classification_metrics(
        predictions.probabilities, [sample["label"] for sample in samples], classifier.class_names
    )
    for row in (noise[0], next(row for row in measured.rows if row.corruption == "contrast")):
        assert {key: getattr(row, key) for key in ("accuracy", "balanced_accuracy", "auc")} == {
            key: clean[key] for key in ("accuracy", "balanced_accuracy", "auc")
        }
        assert row.confidence == pytest.approx(predictions.probabilities.max(1).mean())
        assert row.strength is None
    assert measured.images == len(samples)
    assert all(row.low <= row.accuracy <= row.high for row in measured.rows)


def test_repeats_itself_whatever_else_is_measured(classifier, phantoms):
    alone = measure_robustness(classifier, phantoms, corruptions=("motion",), batch_size=7)
    beside = measure_robustness(classifier, phantoms, corruptions=("noise", "motion"), readers=2)
    assert [row.accuracy for row in alone.rows] == [row.accuracy for row in beside.rows if row.corruption == "motion"]
    other = measure_robustness(classifier, phantoms, corruptions=("motion",), seed=1)
    assert [row.confidence for row in other.rows] != [row.confidence for row in alone.rows]


def test_other_classes(classifier, phantoms):
    names = ("a", *phantoms.class_names[1:])
    with pytest.raises(ValueError, match=r"expected the classes of the data, a, .* name the data"):
        measure_robustness(classifier, dataclasses.replace(phantoms, class_names=names))


def test_invalid_arguments(still_classifier, phantoms):
    with pytest.raises(ValueError, match="got fog"):
        measure_robustness(still_classifier, phantoms, corruptions=("noise", "fog"))
    with pytest.raises(ValueError, match="got none"):
        measure_robustness(still_classifier, phantoms, corruptions=())
    with pytest.raises(ValueError, match="images in the split test of /set, got none"):
        measure_robustness(still_classifier, Datalist(phantoms.class_names, [], [], [], "/set"))


def test_a_bad_image_is_named(still_classifier, phantoms, tmp_path):
    (tmp_path / "bad.png").write_text("<html>")
    bad = [{"image": str(tmp_path / "bad.png"), "label": 0}]
    with pytest.raises(ImageReadError, match=r"bad\.png"):
        measure_robustness(still_classifier, dataclasses.replace(phantoms, test=bad))


def test_several_labels_are_refused(still_classifier, phantoms):
    several = dataclasses.replace(still_classifier, several_labels=True)
    with pytest.raises(ValueError, match="expected one label an image, got several"):
        measure_robustness(several, phantoms)
