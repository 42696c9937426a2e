import pytest
import torch

from monai_medmamba.explain import attribute_scans
from monai_medmamba.networks import MedMamba, medmamba_nano


def log_odds(network, x, class_index):
    """The class against all others, as a probability says it."""
    with torch.no_grad():
        return network.eval()(x).softmax(1)[:, class_index].logit()


def mean_colour(x):
    return x.mean((2, 3), keepdim=True).expand_as(x)


@pytest.mark.parametrize("space", [(32, 32), (40, 36), (67, 33)], ids=str)
def test_shape(network, space):
    found = attribute_scans(network, torch.randn(2, 3, *space), 1, steps=2)
    assert found.given.shape == found.kept.shape == found.directions.shape == (2, 4, *space)
    assert found.total.shape == (2, *space)
    assert torch.isfinite(found.total).all()


@pytest.mark.parametrize(("stages", "class_index"), [((0,), 0), ((1,), 2), ((0, 1), 2)], ids=str)
def test_a_map_adds_up_to_what_the_image_changes(network, stages, class_index):
    """Completeness, sign included; no edge is rounded, so what is spread over pixels keeps its sum."""
    x = 0.3 + 0.2 * torch.randn(2, 3, 32, 32)
    change = log_odds(network, x, class_index) - log_odds(network, mean_colour(x), class_index)
    found = attribute_scans(network, x, class_index, stages=stages)
    assert torch.allclose(found.total.sum((1, 2)), change, atol=0.05 * change.abs().max().item())
    assert found.total.abs().sum() > change.abs().sum()  # there is something to cancel


def test_what_speaks_for_one_of_two_classes_speaks_against_the_other():
    network, x = MedMamba(num_classes=2, depths=(1,), dims=(8,)), torch.randn(2, 3, 32, 32)
    maps = [attribute_scans(network, x, index, steps=2).directions for index in (0, 1)]
    assert torch.allclose(maps[0], -maps[1], atol=1e-7)
    assert maps[0].abs().max() > 1e-5


def test_pixels_that_speak_for_a_class_are_missed_more_than_those_against(network):
    x = torch.randn(4, 3, 40, 40)
    heat = attribute_scans(network, x, 1, steps=8).total.flatten(1)
    fewest = heat.shape[1] // 4
    odds = []
    for largest in (True, False):
        gone = torch.zeros_like(heat).scatter(1, heat.topk(fewest, largest=largest).indices, 1).bool()
        odds.append(log_odds(network, torch.where(gone.view(4, 1, 40, 40), mean_colour(x), x), 1))
    assert (odds[0] < odds[1]).all()


def test_the_scans_move_evidence(network):
    found = attribute_scans(network, torch.randn(2, 3, 32, 32), 1, steps=2)
    assert (found.given.abs().sum((0, 2, 3)) > 1e-6).all()  # through each direction
    assert not torch.allclose(found.given[:, 0], found.given[:, 2])


def test_an_image_of_one_colour_has_nothing_to_say(network):
    found = attribute_scans(network, torch.ones(1, 3, 32, 32), 1, steps=2)
    assert torch.allclose(found.directions, torch.zeros(1, 4, 32, 32), atol=1e-6)


def test_stages_are_averaged(network):
    x = torch.randn(1, 3, 32, 32)
    first, second = (attribute_scans(network, x, 0, stages=[stage], steps=2).total for stage in (0, -1))
    both = attribute_scans(network, x, 0, stages=(0, 1), steps=2).total
    assert torch.allclose((first + 2 * second) / 3, both, atol=1e-6)  # of one block and of two
    assert torch.equal(attribute_scans(network, x, 0, steps=2).total, first)


@pytest.mark.parametrize(
    ("settings", "error"), [({"stages": [2]}, IndexError), ({"steps": 0}, ValueError)], ids=["stage", "steps"]
)
def test_invalid_arguments(network, settings, error):
    with pytest.raises(error):
        attribute_scans(network, torch.randn(1, 3, 32, 32), 0, **settings)


def test_images_do_not_mix(network):
    x = torch.randn(3, 3, 32, 32)
    alone = torch.cat([attribute_scans(network, image[None], 1, steps=2).total for image in x])
    assert torch.allclose(attribute_scans(network, x, 1, steps=2).total, alone, atol=1e-6)


def test_the_network_is_left_as_it_is(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    attribute_scans(network, torch.randn(2, 3, 32, 32), 1, steps=2)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_frozen_networks_and_no_grad(network):
    x = torch.randn(1, 3, 32, 32)
    expected = attribute_scans(network, x, 1, steps=2).total
    with torch.no_grad():
        found = attribute_scans(network.requires_grad_(False), x, 1, steps=2).total
    assert torch.allclose(found, expected, atol=1e-7)


def test_a_single_logit():
    network, x = MedMamba(num_classes=1, depths=(1,), dims=(8,)).eval(), 0.3 + 0.2 * torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        change = network(x) - network(mean_colour(x))
    assert attribute_scans(network, x, 0).total.sum().item() == pytest.approx(change.item(), rel=0.05)


def test_volumes():
    net = medmamba_nano(spatial_dims=3, in_channels=1, num_classes=2)
    found = attribute_scans(net, torch.randn(1, 1, 32, 32, 32), 0, steps=2)
    assert found.directions.shape == (1, 6, 32, 32, 32)
