import json

import pytest
import torch

from monai_medmamba.data import Datalist
from monai_medmamba.label.fine_tuning import start_network, tolerant_weights, write_training
from testing.label_server import CLASSES, make_bundle, make_studies, write_weights


def test_classes_without_an_image_have_a_weight():
    data = Datalist(
        ("a", "b", "c"), [{"image": "/s/1", "label": 0}] * 3 + [{"image": "/s/2", "label": 1}], [], [], "/s"
    )
    weights = tolerant_weights(data, 1.0)
    assert torch.isfinite(weights).all()
    assert weights[1] == weights[2] == 3 * weights[0]
    assert weights.mean().item() == pytest.approx(1)


def test_labels_that_all_or_none_have():
    data = Datalist(("a", "b"), [{"image": "/s/1", "label": [1, 0]}] * 3, [], [], "/s")
    assert tolerant_weights(data, 1.0).tolist() == pytest.approx([1 / 3, 2])


def test_starts_from_weights(tmp_path):
    network = start_network(write_weights(tmp_path / "w.safetensors"))
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert network.num_classes == len(CLASSES)


def test_the_folder_holds_what_the_process_needs(tmp_path):
    truth = make_studies(tmp_path / "studies", 1)
    items = [
        {"image": str(tmp_path / "studies" / name), "label": CLASSES.index(name_)} for name, name_ in truth.items()
    ]
    data = Datalist(CLASSES, items, [], [], str(tmp_path / "studies"))
    bundle = make_bundle(tmp_path)
    start = bundle / "models" / "model.safetensors"
    write_training(tmp_path / "run", bundle / "configs" / "train.json", data, start, {"epochs": 7})
    content = json.loads((tmp_path / "run" / "overrides.json").read_text("utf-8"))
    assert content["overrides"]["epochs"] == 7
    assert content["overrides"]["image_size"] == 32
    assert content["overrides"]["train#handlers#7#_disabled_"] is True
    assert (tmp_path / "run" / "start.safetensors").read_bytes() == start.read_bytes()
    assert Datalist.load(tmp_path / "run" / "datalist.json") == data
