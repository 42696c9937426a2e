"""Images of another kind beside those that a network was trained for."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from monai_medmamba.data import Datalist
from monai_medmamba.inference import measure_foreign, write_foreign
from monai_medmamba.networks import MedMamba, medmamba_nano, save_weights


def pictures(folder, count, level, seed):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    paths = [folder / f"{place}.png" for place in range(count)]
    for path in paths:
        Image.fromarray(rng.integers(level, level + 40, (32, 32, 3), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


@pytest.fixture
def known(tmp_path):
    """Weights, and a data list of dark images whose two classes differ a little."""
    torch.manual_seed(0)
    kept = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(tmp_path / "w.safetensors", medmamba_nano(num_classes=2), ["a", "b"], kept)
    splits = [
        [
            {"image": image, "label": label}
            for label in (0, 1)
            for image in pictures(tmp_path / "set" / split / str(label), 20, 20 + 10 * label, place + label)
        ]
        for place, split in enumerate(("training", "validation", "test"))
    ]
    return tmp_path / "w.safetensors", Datalist(("a", "b"), *splits, str(tmp_path / "set"))


def test_weights_of_volumes_are_refused(known, tmp_path):
    kept = {"volume_size": [32] * 3, "spacing": [1] * 3, "intensity_range": None, "mean": [0.5], "std": [0.25]}
    network = MedMamba(3, 1, num_classes=2, depths=(1,), dims=(8,), d_state=2)
    save_weights(tmp_path / "v.safetensors", network, ["a", "b"], kept)
    with pytest.raises(ValueError, match=r"v\.safetensors: expected a network for images .* got one for volumes"):
        measure_foreign(tmp_path / "v.safetensors", known[1], {}, device="cpu")


def test_bright_images_are_foreign_and_dark_ones_are_not(known, tmp_path):
    foreign = {
        "bright": pictures(tmp_path / "other" / "bright", 30, 180, 5),
        "alike": pictures(tmp_path / "other" / "alike", 30, 25, 6),
    }
    found = measure_foreign(*known, foreign, device="cpu")
    assert found["familiar"] == 40
    bright, alike = found["sets"]
    assert (bright["name"], bright["images"]) == ("bright", 30)
    assert bright["distance"]["auroc"] == bright["distance"]["foreign_refused"] == 1
    assert 0.3 < alike["distance"]["auroc"] < 0.7
    assert bright["distance"]["familiar_refused"] < 0.3
    few = measure_foreign(*known, foreign, device="cpu", most=10)
    assert (few["familiar"], few["sets"][0]["images"]) == (10, 10)


def test_the_threshold_is_that_of_the_validation_images(known, tmp_path):
    """Bright images among them make it accept bright images, whatever the test images are."""
    weights, data = known
    bright = pictures(tmp_path / "other", 30, 180, 5)
    wide = replace(data, validation=[{"image": image, "label": 0} for image in bright])
    (row,) = measure_foreign(weights, wide, {"bright": bright}, device="cpu")["sets"]
    assert row["distance"]["auroc"] == 1
    assert row["distance"]["foreign_refused"] <= 0.05
    assert row["distance"]["familiar_refused"] == 0


def test_each_folder_is_a_set(known, tmp_path):
    pictures(tmp_path / "other" / "mri" / "deep", 3, 180, 5)
    pictures(tmp_path / "other" / "xray", 2, 180, 5)
    written = write_foreign(*known, tmp_path / "other", tmp_path / "out", device="cpu")
    assert written == tmp_path / "out" / "evaluation" / "foreign.json"
    assert {row["name"]: row["images"] for row in json.loads(written.read_text())["sets"]} == {"mri": 3, "xray": 2}
    assert write_foreign(*known, "", tmp_path / "out") is None
    assert not written.exists()  # what earlier weights came to says nothing of these


def test_invalid_arguments(known, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: expected pictures, found none; .* --foreign_dir"):
        write_foreign(*known, tmp_path / "empty", tmp_path)
    with pytest.raises(ValueError, match="missing: expected a folder"):
        write_foreign(*known, tmp_path / "missing", tmp_path)
    with pytest.raises(ValueError, match="expected one network, got an ensemble"):
        write_foreign([known[0]] * 2, known[1], tmp_path, tmp_path)
    broken = tmp_path / "broken" / "a.png"
    broken.parent.mkdir()
    broken.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png"):
        write_foreign(*known, broken.parent, tmp_path)
