import json

import numpy as np
import pytest
import torch

from monai_medmamba.inference import calibrate_weights, load_classifier
from monai_medmamba.metrics import Predictions, apply_temperature, fit_temperature, write_predictions
from monai_medmamba.networks import load_weights, save_weights

KEPT = {"image_size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
NAMES = ["normal", "polyp", "höhle"]


def raw(count=60):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, count)
    logits = 4 * rng.normal(size=(count, 3)) + 3 * np.eye(3)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions([f"{i}.png" for i in range(count)], labels, scores.astype(np.float32), NAMES)


def table(path, temperature=1.0):
    found = raw()
    write_predictions(path, found.images, found.labels, apply_temperature(found.probabilities, temperature), NAMES)
    return path


@pytest.fixture
def checkpoint(network, tmp_path):
    path = tmp_path / "model.pt"
    description = {"network": network.settings, "class_names": NAMES, "preprocessing": KEPT}
    torch.save({"model": network.state_dict(), "description": description, "optimizer": {"x": 1}}, path)
    return path


def test_several_labels_have_no_temperature(network, tmp_path):
    path = tmp_path / "several.safetensors"
    save_weights(path, network, NAMES, KEPT, several_labels=True)
    with pytest.raises(ValueError, match="several labels an image"):
        calibrate_weights(path, table(tmp_path / "validation.csv"))


def test_safetensors_get_the_temperature_and_keep_the_rest(weights, tmp_path):
    before, described = load_weights(weights)
    stored = calibrate_weights(weights, table(tmp_path / "validation.csv"))
    assert stored["temperature"] == pytest.approx(fit_temperature(raw())["temperature"], rel=1e-4)
    after, description = load_weights(weights)
    assert description == {**described, "calibration": stored}
    assert all(torch.equal(tensor, after.state_dict()[name]) for name, tensor in before.state_dict().items())
    assert load_classifier(weights, device="cpu").temperature == stored["temperature"]


def test_a_checkpoint_keeps_what_resuming_needs(checkpoint, tmp_path):
    stored = calibrate_weights(checkpoint, table(tmp_path / "validation.csv"))
    content = torch.load(checkpoint, weights_only=True)
    assert content["optimizer"] == {"x": 1}
    assert content["description"]["calibration"] == stored


def test_doing_it_again_changes_nothing(weights, tmp_path):
    first = calibrate_weights(weights, table(tmp_path / "validation.csv"))
    again = calibrate_weights(weights, table(tmp_path / "validation.csv", first["temperature"]))
    assert again["temperature"] == pytest.approx(first["temperature"], rel=1e-3)


def test_the_test_set_is_refused(weights, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"split": "test"}))
    before = weights.read_bytes()
    with pytest.raises(ValueError, match=r"holds the test split.*name .*validation\.csv"):
        calibrate_weights(weights, table(tmp_path / "predictions.csv"))
    assert weights.read_bytes() == before


def test_other_classes_are_refused(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["x", "y", "z"], KEPT)
    with pytest.raises(ValueError, match=r"has the classes \['x', 'y', 'z'\]"):
        calibrate_weights(tmp_path / "w.safetensors", table(tmp_path / "validation.csv"))
