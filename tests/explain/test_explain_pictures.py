import json

import numpy as np
import pytest
import torch
from PIL import Image

from monai_medmamba.explain import METHODS, explain_pictures
from monai_medmamba.inference import Failure, load_classifier, predict
from monai_medmamba.networks import save_weights
from monai_medmamba.visualize import picture


@pytest.fixture
def images(tmp_path):
    """Pictures of other shapes than the network's, one of one name in two folders, and one bad file."""
    rng = np.random.default_rng(0)
    for name, size in (("a/1.png", (50, 40, 3)), ("b/1.png", (60, 90, 3)), ("b/grün [x].png", (1, 1, 3))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "b" / "bad.png").write_text("<html>")
    return [str(tmp_path / name) for name in ("a/1.png", "b/bad.png", "b/1.png", "b/grün [x].png")]


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """Drawing fine pictures takes most of the time."""
    monkeypatch.setattr(picture.png, "__defaults__", (40,))


def test_everything(weights, images, tmp_path):
    out = tmp_path / "out"
    before = [Failure("gone.png", "no such file")]
    found, failures = explain_pictures(weights, images, out, methods=METHODS, areas=True, device="cpu", failures=before)
    assert [explanation.image for explanation in found] == [images[0], images[2], images[3]]
    assert [failure.image for failure in failures] == ["gone.png", images[1]]
    assert "web page" in failures[1].reason
    content = json.loads((out / "explanations.json").read_text("utf-8"))
    named = {"explanations.json"}
    predictions = predict(load_classifier(weights, device="cpu"), images).predictions
    for explanation, row in zip(content["explanations"], predictions.probabilities, strict=True):
        assert list(explanation["probabilities"].values()) == pytest.approx(row.tolist(), abs=1e-6)
        assert explanation["explained"] == predictions.class_names[row.argmax()]
        assert sum(explanation["direction_shares"].values()) == pytest.approx(1)
        assert explanation["areas"].keys() == explanation["overlays"].keys() == set(METHODS)
        assert all(0 <= area <= 1 for pair in explanation["areas"].values() for area in pair.values())
        named |= {*explanation["overlays"].values(), explanation["directions"]}
    assert {path.name for path in out.iterdir()} == named
    assert len(named) == 3 * 5 + 1
    assert [failure["image"] for failure in content["failures"]] == ["gone.png", images[1]]


def test_the_class_that_is_asked_for(weights, images, tmp_path):
    found, _failures = explain_pictures(weights, images[:1], tmp_path, class_name="höhle", methods=["gradcam"])
    assert (found[0].explained, found[0].directions, found[0].areas) == ("höhle", None, {})
    assert list(found[0].overlays) == ["gradcam"]


def test_large_pictures_are_drawn_smaller(weights, tmp_path):
    Image.new("RGB", (3000, 40), "red").save(tmp_path / "wide.png")
    found, failures = explain_pictures(weights, [str(tmp_path / "wide.png")], tmp_path)
    assert (len(found), failures) == (1, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_name": "ulcer"}, "expected one of its classes normal, polyp, höhle, got 'ulcer'"),
        ({"methods": ["saliency"]}, "one of the methods"),
        ({"stage": 2}, "from 0 to 1"),
        ({"methods": ["occlusion"], "stage": 1}, "leave it out"),
    ],
)
def test_wrong_settings_are_found_before_the_first_picture(weights, images, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        explain_pictures(weights, images, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_repeats_itself(weights, images, tmp_path):
    torch.manual_seed(1)
    for name in ("first", "second"):
        explain_pictures(weights, images[:1], tmp_path / name, device="cpu")
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_weights_of_several_labels_are_refused(network, images, tmp_path):
    kept = {"image_size": 48, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(tmp_path / "w.safetensors", network, ["a", "b", "c"], kept, several_labels=True)
    with pytest.raises(ValueError, match="weights for one label an image, got some for several"):
        explain_pictures(tmp_path / "w.safetensors", images, tmp_path / "out", device="cpu")
