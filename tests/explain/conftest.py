import pytest
import torch

from monai_medmamba.networks import MedMamba, save_weights

KEPT = {"image_size": 48, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
NAMES = ["normal", "polyp", "höhle"]


@pytest.fixture
def network():
    """A small network, left in training mode, whose scans count, as they come to in training."""
    torch.manual_seed(0)
    network = MedMamba(num_classes=3, depths=(1, 2), dims=(8, 16), d_state=2)
    with torch.no_grad():
        network.head.weight.mul_(10)
        for name, parameter in network.named_parameters():
            if name.endswith(("proj.weight", "x_proj_weight")):
                parameter.mul_(5)
    return network


@pytest.fixture
def weights(network, tmp_path_factory):
    """The file of that network, with classes and preprocessing."""
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_weights(path, network, NAMES, KEPT)
    return path
