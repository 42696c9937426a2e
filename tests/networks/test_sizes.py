import json

import pytest

import monai_medmamba.networks as networks
from monai_medmamba.networks import MedMamba, create_medmamba, to_published
from testing.golden import golden_folder


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("name", "millions"), [("nano", 1.67), ("tiny", 14.46), ("small", 22.79), ("base", 47.13)], ids=str
)
def test_parameter_counts_at_six_classes(name, millions):
    net = getattr(networks, f"medmamba_{name}")(num_classes=6)
    assert round(count(net) / 1e6, 2) == millions


@pytest.mark.parametrize("size", ["T", "S", "B"])
def test_matches_reference(size):
    """Every parameter's name, shape and the count of the published network, as recorded."""
    recorded = json.loads((golden_folder() / "upstream_state_dict.json").read_text())[size]
    net = MedMamba(num_classes=6, depths=recorded["depths"], dims=recorded["dims"])
    assert count(net) == recorded["parameters"]
    found = {name: list(tensor.shape) for name, tensor in to_published(net.state_dict()).items()}
    assert found == {name: list(shape) for name, shape in recorded["state"].items()}


def test_a_name_may_carry_its_prefix():
    assert create_medmamba("medmamba_nano", num_classes=2).settings == create_medmamba("nano", num_classes=2).settings


def test_invalid_arguments():
    with pytest.raises(ValueError, match="nano, tiny, small, base, got 'huge'"):
        create_medmamba("huge", num_classes=2)
