import pickle

import pytest
import torch

from monai_medmamba.networks import MedMamba, from_published, load_published, published_sizes, to_published

SIZES = {"in_channels": 1, "num_classes": 5, "depths": (1, 2), "dims": (8, 16), "d_state": 4}


@pytest.fixture
def network():
    return MedMamba(**SIZES).eval()


def test_names_go_both_ways(network):
    published = to_published(network.state_dict())
    assert "layers.1.blocks.1.self_attention.A_logs" in published
    assert "layers.0.blocks.0.ln_1.weight" in published
    assert "layers.0.downsample.norm.weight" in published
    assert "patch_embed.norm.weight" in published
    back = from_published(published)
    assert back.keys() == network.state_dict().keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in network.state_dict().items())


def test_sizes_are_read_from_the_keys(network):
    assert published_sizes(to_published(network.state_dict())) == SIZES


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"model": s}, lambda s: {"state_dict": s}])
def test_load(network, tmp_path, wrap):
    torch.save(wrap(to_published(network.state_dict())), tmp_path / "w.pth")
    loaded = load_published(tmp_path / "w.pth")
    x = torch.randn(1, 1, 32, 32)
    assert torch.equal(loaded(x), network(x))
    assert not loaded.training


def test_a_missing_key_is_an_error_that_names_file_and_key(network, tmp_path):
    state = to_published(network.state_dict())
    del state["layers.1.blocks.0.self_attention.Ds"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"(?s)w\.pth.*Missing key.*stages\.1\.blocks\.0\.ssm\.D"):
        load_published(tmp_path / "w.pth")


def test_another_network_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match="not a state dict of the published MedMamba"):
        load_published(tmp_path / "w.pth")


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (self.marker, "w")


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    torch.save({"head.weight": Hostile(str(tmp_path / "marker"))}, tmp_path / "w.pth")
    with pytest.raises(pickle.UnpicklingError):
        load_published(tmp_path / "w.pth")
    assert not (tmp_path / "marker").exists()
