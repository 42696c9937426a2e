"""Weights whose probabilities differ from image to image, and how to run code in a process of its own."""

import subprocess
import sys

import pytest
import torch

from monai_medmamba.networks import MedMamba, save_weights

NAMES = ["a", "b", "c"]
KEPT = {"image_size": 40, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}


def lively_network(**changes):
    """Return a small network with statistics of its own and logits that spread."""
    sizes = {"num_classes": len(NAMES), "depths": (1, 1), "dims": (8, 16), "d_state": 4}
    network = MedMamba(**(sizes | changes))
    with torch.no_grad():
        edges = (40, 36, 33)[: network.spatial_dims]
        for _ in range(3):
            network.train()(torch.randn(4, network.in_channels, *edges))
        network.head.weight.mul_(40)
    return network.eval()


@pytest.fixture
def network():
    return lively_network()


@pytest.fixture
def weights(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, NAMES, KEPT)
    return tmp_path / "w.safetensors"


@pytest.fixture
def fresh_process(tmp_path):
    """Runs Python code in a new process, in an empty folder; returns what it did."""

    def run(code, *arguments):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False, timeout=300
        )

    return run


VOLUMES = {"spatial_dims": 3, "in_channels": 1}
KINDS = {
    "2d": {},
    "3d": VOLUMES | {"depths": (1,), "dims": (8,)},
    "thick slices": VOLUMES | {"patch_size": (4, 4, 3), "patch_stride": (4, 4, 2), "merge_strides": [(2, 2, 1)]},
}


@pytest.fixture(params=KINDS)
def either(request):
    """A network for images, one for volumes, and one for volumes of thick slices."""
    return lively_network(**KINDS[request.param])


@pytest.fixture
def volume_network():
    return lively_network(**VOLUMES, patch_size=(4, 4, 2))
