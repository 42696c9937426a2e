import numpy as np
import pytest
import torch
from torch.nn import functional

from monai_medmamba.data import build_datalist, endoscopy_phantoms
from monai_medmamba.inference import ImageClassifier, Preprocessing, load_classifier
from monai_medmamba.networks import MedMamba, save_weights

KEPT = {"image_size": 48, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """The checked list of a few phantoms."""
    return build_datalist(endoscopy_phantoms(tmp_path_factory.mktemp("phantoms") / "set", images_per_class=30, size=64))


@pytest.fixture(scope="session")
def classifier(phantoms, tmp_path_factory):
    """A small network, trained on clean phantoms for a few seconds, through its file."""
    torch.manual_seed(0)
    prepare = Preprocessing.from_description(KEPT)
    network = MedMamba(num_classes=len(phantoms.class_names), depths=(1, 1), dims=(16, 32), d_state=4)
    samples = phantoms.training + phantoms.validation
    images = torch.stack([prepare.read(sample["image"]) for sample in samples])
    labels = torch.tensor([sample["label"] for sample in samples])
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _epoch in range(15):
        for chosen in torch.randperm(len(images)).split(32):
            optimizer.zero_grad()
            functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_weights(path, network, list(phantoms.class_names), KEPT)
    return load_classifier(path, device="cpu")


@pytest.fixture
def still_classifier(phantoms):
    """Gives the same probabilities to every image."""
    count = len(phantoms.class_names)
    prepare = Preprocessing.from_description(KEPT)
    row = torch.from_numpy(np.linspace(0, 1, count, dtype=np.float32))
    return ImageClassifier("still", phantoms.class_names, prepare, lambda batch: row.repeat(len(batch), 1))
