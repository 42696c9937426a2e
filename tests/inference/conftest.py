import numpy as np
import pytest
import torch
from PIL import Image

from monai_medmamba.networks import MedMamba, save_weights

KEPT = {"image_size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
NAMES = ["normal", "polyp", "höhle"]


@pytest.fixture
def network():
    """A small network whose probabilities differ between pictures."""
    torch.manual_seed(0)
    network = MedMamba(num_classes=3, depths=(1,), dims=(8,), d_state=2).eval()
    with torch.no_grad():
        network.head.weight.mul_(10)
    return network


@pytest.fixture
def weights(network, tmp_path_factory):
    """The file of that network, with classes and preprocessing."""
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_weights(path, network, NAMES, KEPT)
    return path


@pytest.fixture
def folder(tmp_path):
    """Pictures of several kinds, two of one name, one with a name that is not ASCII, and files that are none."""
    rng = np.random.default_rng(0)
    root = tmp_path / "images"
    for name in ("a/1.png", "b/1.png", "b/deep/größe [1] 図.JPG", "c.tif"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)
    for name in ("notes.txt", "b/.hidden.png", ".thumbnails/t.png", "b/DICOMDIR"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(bytes(128) + b"DICM")
    (root / "notes.txt").write_text("no picture")
    return root
