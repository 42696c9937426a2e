import numpy as np
import pytest
import torch

from monai_medmamba.data import build_datalist, endoscopy_phantoms
from monai_medmamba.inference import ImageClassifier, Preprocessing

PREPARE = Preprocessing(48, (0.5,) * 3, (0.25,) * 3)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """The checked list of a few phantoms."""
    return build_datalist(endoscopy_phantoms(tmp_path_factory.mktemp("phantoms") / "set", images_per_class=20, size=64))


def features(batch):
    """Return mean and spread of each channel, and how rough it is."""
    rough = (batch[..., 1:] - batch[..., :-1]).abs().mean((2, 3))
    return torch.cat([batch.mean((2, 3)), batch.std((2, 3)), 5 * rough], dim=1)


@pytest.fixture(scope="session")
def classifier(phantoms):
    """Goes by the nearest mean of a class in a few features of colour and texture: quick, and no match for noise."""
    images = torch.stack([PREPARE.read(sample["image"]) for sample in phantoms.training])
    labels = torch.tensor([sample["label"] for sample in phantoms.training])
    found = features(images)
    means = torch.stack([found[labels == index].mean(0) for index in range(len(phantoms.class_names))])
    return ImageClassifier("means", phantoms.class_names, PREPARE, lambda x: -20 * torch.cdist(features(x), means))


@pytest.fixture
def still_classifier(phantoms):
    """Gives the same probabilities to every image."""
    row = torch.from_numpy(np.linspace(0, 1, len(phantoms.class_names), dtype=np.float32))
    return ImageClassifier("still", phantoms.class_names, PREPARE, lambda batch: row.repeat(len(batch), 1))
