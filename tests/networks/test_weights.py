import pytest
import torch
from safetensors.torch import save_file

from monai_medmamba.networks import MedMamba, load_weights, save_weights

SIZES = {"num_classes": 2, "depths": (1, 1), "dims": (8, 16), "d_state": 4}


@pytest.fixture
def network():
    return MedMamba(**SIZES).eval()


def test_round_trip(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["a, b", "ü"], {"image_size": 64, "mean": [0.5] * 3})
    loaded, description = load_weights(tmp_path / "w.safetensors")
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(loaded(x), network(x))
    assert description["class_names"] == ["a, b", "ü"]
    assert description["preprocessing"] == {"image_size": 64, "mean": [0.5] * 3}


def test_a_temperature_is_kept_and_needs_none(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], {}, {"temperature": 1.5, "images": 9})
    assert load_weights(tmp_path / "w.safetensors")[1]["calibration"] == {"temperature": 1.5, "images": 9}
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], {})
    assert "calibration" not in load_weights(tmp_path / "w.safetensors")[1]


def test_several_labels_are_said_where_they_are(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], {}, several_labels=True)
    assert load_weights(tmp_path / "w.safetensors")[1]["several_labels"] is True
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], {})
    assert "several_labels" not in load_weights(tmp_path / "w.safetensors")[1]


def test_wrong_number_of_names(network, tmp_path):
    with pytest.raises(ValueError, match="2 class names, got 3"):
        save_weights(tmp_path / "w.safetensors", network, ["a", "b", "c"], {})
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_named(network, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, ["a", "b"], {})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"w\.safetensors: not a readable"):
        load_weights(path)


def test_a_file_of_others_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="medmamba convert"):
        load_weights(tmp_path / "w.safetensors")


def test_a_failed_save_keeps_the_last_good_file(network, tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, ["a", "b"], {})
    good = path.read_bytes()

    def full_disk(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("monai_medmamba.networks.weights.save_file", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_weights(path, network, ["a", "b"], {})
    assert path.read_bytes() == good
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_patches_and_merging_are_kept(tmp_path):
    sizes = {**SIZES, "patch_size": (1, 4, 4), "merge_strides": [(1, 2, 2)], "spatial_dims": 3, "in_channels": 1}
    thick, path = MedMamba(**sizes).eval(), tmp_path / "w.safetensors"
    save_weights(path, thick, ["a", "b"], {})
    x = torch.randn(1, 1, 5, 32, 32)
    assert torch.equal(load_weights(path)[0](x), thick(x))
