import json

import pytest
import torch
from safetensors.torch import save_file

from monai_medmamba.handlers import TrainingCheckpoint, read_checkpoint
from monai_medmamba.inference import ImageClassifier, Preprocessing, load_classifier
from monai_medmamba.networks import MedMamba, load_weights, save_weights, to_published
from testing.training import CLASS_NAMES, Toy

KEPT = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
PREPARE = Preprocessing.from_description(KEPT)


def test_shape_and_values(weights, network):
    classifier = load_classifier(weights, device="cpu")
    batch = torch.randn(2, 3, 32, 32)
    found = classifier(batch)
    assert (found.shape, found.dtype, found.requires_grad) == ((2, 3), torch.float32, False)
    torch.testing.assert_close(found, network(batch).softmax(dim=1).detach())
    assert classifier.class_names == ("normal", "polyp", "höhle")
    assert classifier.preprocessing.image_size == 32
    assert classifier.source == str(weights)


def test_several_labels_are_each_a_question_of_its_own(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["a", "b", "c"], KEPT, several_labels=True)
    classifier = load_classifier(tmp_path / "w.safetensors", device="cpu")
    batch = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(classifier(batch), network(batch).sigmoid().detach())
    assert classifier.several_labels
    assert not load_classifier(save_one_label(tmp_path, network), device="cpu").several_labels


VOLUMES = {"volume_size": [32] * 3, "spacing": [1.5] * 3, "intensity_range": None, "mean": [0.5], "std": [0.25]}


def test_volumes(tmp_path):
    network = MedMamba(3, 1, num_classes=2, depths=(1,), dims=(8,), d_state=2).eval()
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], VOLUMES)
    classifier = load_classifier(tmp_path / "w.safetensors", device="cpu")
    batch = torch.randn(2, *classifier.preprocessing.shape)
    torch.testing.assert_close(classifier(batch), network(batch).softmax(dim=1).detach())


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({}, "preprocessing lacks image_size, mean, std"),
        ({"volume_size": [32] * 3}, "preprocessing lacks spacing"),
        (KEPT, "3 channels or volumes of one, as its preprocessing says, got one for 3 dimensions and 1 channels"),
    ],
)
def test_weights_for_volumes_that_say_too_little_are_refused(kept, message, tmp_path):
    volumes = MedMamba(3, 1, num_classes=2, depths=(1,), dims=(8,))
    save_weights(tmp_path / "w.safetensors", volumes, ["a", "b"], kept)
    with pytest.raises(ValueError, match=rf"w\.safetensors: .*{message}"):
        load_classifier(tmp_path / "w.safetensors", device="cpu")


def save_one_label(folder, network):
    """Return the file of weights that say nothing of several labels, as older ones do."""
    save_weights(folder / "one.safetensors", network, ["a", "b", "c"], KEPT)
    return folder / "one.safetensors"


def test_a_kind_of_labels_that_is_no_yes_or_no_is_refused(network, tmp_path):
    described = {"network": network.settings, "class_names": ["a", "b", "c"], "preprocessing": KEPT}
    path = tmp_path / "model.pt"
    torch.save({"model": network.state_dict(), "description": {**described, "several_labels": "some"}}, path)
    with pytest.raises(ValueError, match="expected several_labels true or false"):
        load_classifier(path, device="cpu")


@pytest.mark.parametrize("name", ["model.pt", "last.pt", "model.safetensors"])
def test_every_file_of_a_training(tmp_path, name):
    toy = Toy()
    save = TrainingCheckpoint(
        tmp_path, toy.network, toy.optimizer, toy.lr_scheduler, toy.evaluator, CLASS_NAMES, KEPT, "toy"
    )
    save.attach(toy.trainer)
    toy.trainer.run()
    batch = torch.randn(2, 3, 32, 32)
    classifier = load_classifier(tmp_path / name, device="cpu")
    best, _description = load_weights(tmp_path / "model.safetensors")
    expected = toy.network.eval() if name == "last.pt" else best
    temperature = read_checkpoint(tmp_path / name.replace("safetensors", "pt"))["description"]["calibration"][
        "temperature"
    ]
    assert temperature != 1
    torch.testing.assert_close(classifier(batch), (expected(batch) / temperature).softmax(dim=1).detach())
    assert classifier.class_names == tuple(CLASS_NAMES)


def test_weights_with_a_temperature(tmp_path, network):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, ["a", "b", "c"], KEPT, {"temperature": 2.5})
    batch = torch.randn(2, 3, 32, 32)
    expected = (network(batch) / 2.5).softmax(dim=1).detach()
    torch.testing.assert_close(load_classifier(path, device="cpu")(batch), expected)


@pytest.mark.parametrize("wrong", [0, -1, "2", None, float("inf"), True])
def test_a_temperature_that_is_none(tmp_path, wrong):
    path = tmp_path / "model.pt"
    _checkpoint(path, calibration={"temperature": wrong})
    with pytest.raises(ValueError, match="expected a temperature above 0"):
        load_classifier(path, device="cpu")


def test_backend(weights):
    assert load_classifier(weights, device="cpu", backend="reference")(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    with pytest.raises(RuntimeError, match="nonsense"):
        load_classifier(weights, device="cpu", backend="nonsense")(torch.zeros(1, 3, 32, 32))


def _checkpoint(path, **description):
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2)
    described = {"network": network.settings, "class_names": ["a", "b"], "preprocessing": KEPT, **description}
    kept = {key: value for key, value in described.items() if value is not None}
    torch.save({"model": network.state_dict(), "description": kept}, path)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"class_names": None}, r"expected the class names in the file, got null.*medmamba convert --class-names"),
        ({"class_names": []}, r"expected the class names in the file, got \[\]"),
        ({"class_names": [1, 2]}, "expected the class names in the file"),
        ({"preprocessing": None}, r"lacks image_size, mean, std.*convert --image-size --mean --std"),
        ({"preprocessing": {"image_size": 32}}, "lacks mean, std"),
        ({"network": None}, "does not say how to build it"),
    ],
)
def test_a_checkpoint_that_does_not_describe_itself(tmp_path, description, message):
    path = tmp_path / "model.pt"
    _checkpoint(path, **description)
    with pytest.raises(ValueError, match=message) as raised:
        load_classifier(path, device="cpu")
    assert str(raised.value).startswith(str(path))


def test_safetensors_without_class_names(tmp_path, network):
    path = tmp_path / "w.safetensors"
    description = json.dumps({"network": network.settings, "preprocessing": KEPT})
    save_file(network.state_dict(), path, metadata={"format": "monai_medmamba/1", "description": description})
    with pytest.raises(ValueError, match=r"w\.safetensors: expected the class names"):
        load_classifier(path, device="cpu")


def test_converted_weights_without_preprocessing(tmp_path, network):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, ["a", "b", "c"], {})
    with pytest.raises(ValueError, match=r"w\.safetensors: preprocessing lacks image_size, mean, std"):
        load_classifier(path, device="cpu")


def test_other_files_are_refused(tmp_path, network):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*missing\.pt"):
        load_classifier(tmp_path / "missing.pt")
    torch.save(to_published(MedMamba(num_classes=3).state_dict()), tmp_path / "published.pth")
    with pytest.raises(ValueError, match="medmamba convert"):
        load_classifier(tmp_path / "published.pth")
    (tmp_path / "broken.safetensors").write_bytes(b"0" * 100)
    with pytest.raises(ValueError, match=r"broken\.safetensors"):
        load_classifier(tmp_path / "broken.safetensors")


@pytest.mark.parametrize("settings", [{"spatial_dims": 3}, {"in_channels": 1}])
def test_a_network_for_other_images_is_refused(tmp_path, settings):
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2, **settings)
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], KEPT)
    with pytest.raises(ValueError, match="expected a network for images of 3 channels"):
        load_classifier(tmp_path / "w.safetensors", device="cpu")


def test_devices(weights, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert load_classifier(weights)(torch.zeros(1, 3, 32, 32)).device.type == "cpu"
    with pytest.raises(ValueError, match=r"no CUDA device here; use --device cpu"):
        load_classifier(weights, device="cuda")
    with pytest.raises(ValueError, match="auto, cpu or cuda"):
        load_classifier(weights, device="tpu")


@pytest.mark.gpu
def test_on_a_gpu(weights):
    batch = torch.randn(2, 3, 32, 32)
    found, expected = (load_classifier(weights, device=device)(batch) for device in ("cuda", "cpu"))
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (torch.zeros(2, 2), r"one output for each of 3 classes, got outputs of shape \(2, 2\)"),
        (torch.full((2, 3), float("nan")), "not finite"),
    ],
)
def test_senseless_outputs_are_refused(logits, message):
    classifier = ImageClassifier("w.pt", ("a", "b", "c"), PREPARE, lambda batch: logits)
    with pytest.raises(ValueError, match=rf"w\.pt: .*{message}"):
        classifier(torch.zeros(2, 3, 32, 32))
