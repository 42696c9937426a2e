import pytest
import torch

from monai_medmamba.explain import ScanRecord, attribute_scans
from monai_medmamba.networks import medmamba_nano


@pytest.mark.parametrize("space", [(32, 32), (40, 36), (67, 33)], ids=str)
def test_shape(network, space):
    found = attribute_scans(network, torch.randn(2, 3, *space), 1)
    assert found.sources.shape == found.targets.shape == found.directions.shape == (2, 4, *space)
    assert found.skip.shape == found.total.shape == (2, *space)
    assert torch.isfinite(found.total).all()


def test_sums_are_those_of_the_scans(network):
    x = torch.randn(2, 3, 64, 32)  # no edge is rounded, so what is spread over pixels keeps its sum
    found = attribute_scans(network, x, 2)
    with ScanRecord() as record:
        score = network.eval()(x)[:, 2].sum()
    grads = torch.autograd.grad(score, [call.y for call in record.calls])
    whole = sum((grad * call.y).sum((1, 2, 3)) for grad, call in zip(grads, record.calls, strict=True))
    skip = found.skip.sum((1, 2))
    assert torch.allclose(found.sources.sum((1, 2, 3)) + skip, whole, atol=1e-5)
    assert torch.allclose(found.total.sum((1, 2)) + skip, whole, atol=1e-5)
    assert found.total.abs().max() > 1e-7


def test_stages_add_up(network):
    x = torch.randn(1, 3, 40, 36)
    first, second = (attribute_scans(network, x, 0, stages=[stage]).total for stage in (0, -1))
    assert torch.allclose(first + second, attribute_scans(network, x, 0).total, atol=1e-6)
    assert not torch.allclose(first, second)
    with pytest.raises(IndexError):
        attribute_scans(network, x, 0, stages=[2])


def test_images_do_not_mix(network):
    x = torch.randn(3, 3, 32, 32)
    alone = torch.cat([attribute_scans(network, image[None], 1).total for image in x])
    assert torch.allclose(attribute_scans(network, x, 1).total, alone, atol=1e-6)


def test_the_network_is_left_as_it_is(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    attribute_scans(network, torch.randn(2, 3, 32, 32), 1)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_frozen_networks_and_no_grad(network):
    x = torch.randn(1, 3, 32, 32)
    expected = attribute_scans(network, x, 1).total
    with torch.no_grad():
        found = attribute_scans(network.requires_grad_(False), x, 1).total
    assert torch.allclose(found, expected, atol=1e-7)


def test_volumes():
    net = medmamba_nano(spatial_dims=3, in_channels=1, num_classes=2)
    assert attribute_scans(net, torch.randn(1, 1, 32, 32, 32), 0).directions.shape == (1, 6, 32, 32, 32)
