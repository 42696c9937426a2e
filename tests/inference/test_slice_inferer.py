import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedTrainer
from monai.networks.nets import MILModel

from monai_medmamba.inference import SliceBagInferer
from monai_medmamba.networks import MedMamba, PooledFeatures

VOLUMES = torch.arange(2 * 3 * 4 * 5 * 6.0).reshape(2, 3, 4, 5, 6)


def slice_attention(classes=2):
    torch.manual_seed(0)
    features = PooledFeatures(MedMamba(2, 3, num_classes=1, depths=(1,), dims=(8,), d_state=2))
    return MILModel(classes, mil_mode="att", pretrained=False, backbone=features, backbone_num_features=8)


@pytest.mark.parametrize(("axis", "shape"), [(0, (2, 4, 3, 5, 6)), (1, (2, 5, 3, 4, 6)), (2, (2, 6, 3, 4, 5))])
def test_shape(axis, shape):
    bag = SliceBagInferer(axis, neighbours=0).bag(VOLUMES)
    assert bag.shape == shape
    assert torch.equal(bag[:, 3], VOLUMES.select(2 + axis, 3))


def test_neighbours_are_channels():
    bag = SliceBagInferer(neighbours=1).bag(VOLUMES)
    assert bag.shape == (2, 6, 9, 4, 5)
    for place, expected in ((0, (0, 0, 1)), (2, (1, 2, 3)), (5, (4, 5, 5))):
        assert torch.equal(bag[:, place], torch.cat([VOLUMES[..., k] for k in expected], 1))


@pytest.mark.parametrize(("slices", "middles"), [(1, [0]), (2, [0, 5]), (3, [0, 2, 5]), (6, [0, 1, 2, 3, 4, 5])])
def test_slices_are_spread_evenly(slices, middles):
    bag = SliceBagInferer(neighbours=0, slices=slices).bag(VOLUMES)
    assert torch.equal(bag, torch.stack([VOLUMES[..., k] for k in middles], 1))


def test_more_slices_than_there_are():
    assert SliceBagInferer(neighbours=0, slices=11).bag(VOLUMES).shape[1] == 11


@pytest.mark.parametrize("wrong", [{"axis": 3}, {"neighbours": -1}, {"slices": 0}])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError, match="expected axis 0, 1 or 2"):
        SliceBagInferer(**wrong)
    with pytest.raises(ValueError, match=r"expected volumes \(B, C, X, Y, Z\)"):
        SliceBagInferer().bag(VOLUMES[0])


def test_it_learns_which_slice_counts():
    """A bright square in one slice of eight: the trainer takes the inferer, and gradients reach the network."""
    generator = torch.Generator().manual_seed(0)
    items = []
    for i in range(16):
        volume = torch.randn(1, 32, 32, 8, generator=generator) * 0.3
        volume[0, 8:24, 8:24, int(torch.randint(8, (), generator=generator))] += 3.0 * (i % 2)
        items.append({"image": MetaTensor(volume), "label": i % 2})
    network, losses = slice_attention(), []
    trainer = SupervisedTrainer(
        torch.device("cpu"),
        12,
        DataLoader(Dataset(items), batch_size=16),
        network,
        torch.optim.Adam(network.parameters(), lr=1e-2),
        lambda pred, label: torch.nn.functional.cross_entropy(pred, label),
        inferer=SliceBagInferer(),
        postprocessing=lambda item: losses.append(item["loss"].item()) or item,
        decollate=False,
    )
    trainer.run()
    assert losses[-1] < 0.5 * losses[0]
