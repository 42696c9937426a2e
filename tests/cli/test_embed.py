import numpy as np
import pytest
import torch

from monai_medmamba.cli import main
from monai_medmamba.networks import MedMamba, save_weights
from testing.bundles import class_folders


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "model.safetensors"
    kept = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(path, MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2), ["a", "b"], kept)
    return str(path)


def test_writes_features_and_probes_them(weights, tmp_path, capsys):
    images = class_folders(tmp_path / "images", ["dark", "bright"], count=6)
    out = tmp_path / "features.npz"
    assert main(["embed", str(images), "--weights", weights, "--out", str(out), "--probe", "--folds", "3"]) == 0
    kept = np.load(out)
    assert kept["features"].shape == (12, 8)
    assert sorted(set(kept["folders"].tolist())) == ["bright", "dark"]
    said = capsys.readouterr().out
    assert "12 images, 8 features each" in said
    assert "linear probe, 3 folds: accuracy 1.000" in said


def test_a_bad_file_is_listed(weights, tmp_path, capsys):
    images = class_folders(tmp_path / "images", ["dark"], count=2)
    (images / "dark" / "broken.png").write_text("<html>")
    assert main(["embed", str(images), "--weights", weights, "--out", str(tmp_path / "f.npz"), "--quiet"]) == 2
    assert "1 of 3 could not be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("images", "out", "message"), [("images", "f.csv", r"--out FILE\.npz"), ("nowhere", "f.npz", "no image found")]
)
def test_nothing_done(weights, tmp_path, capsys, images, out, message):
    assert main(["embed", str(tmp_path / images), "--weights", weights, "--out", str(tmp_path / out)]) == 1
    error = capsys.readouterr().err
    assert message.replace("\\", "") in error
