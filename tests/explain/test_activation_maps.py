import pytest
import torch
import torch.nn.functional as F
from monai.visualize import GradCAM

from monai_medmamba.explain import HiResCAM, activation_map


def maps_and_gradients(network, x, class_index, stage):
    """Return a stage's map, channels first, and the gradient of the class score in it."""
    value, maps = network.eval().stem(x), []
    for part in network.stages:
        for block in part.blocks:
            value = block(value)
        maps.append(value)
        value = part.downsample(value)
    score = network.head(value.mean((1, 2)))[:, class_index].sum()
    (grad,) = torch.autograd.grad(score, maps[stage])
    return maps[stage].movedim(-1, 1), grad.movedim(-1, 1)


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("space", [(40, 36), (33, 64)], ids=str)
def test_matches_the_formulas(network, stage, space):
    x = torch.randn(2, 3, *space)
    maps, grads = maps_and_gradients(network, x, 1, stage)
    gradcam = F.relu((grads.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True))
    hirescam = F.relu((grads * maps).sum(1, keepdim=True))
    for kind, small in ((GradCAM, gradcam), (HiResCAM, hirescam)):
        expected = F.interpolate(small, space, mode="bilinear")[:, 0]
        found = activation_map(network, x, 1, stage=stage, kind=kind)
        assert torch.allclose(found, expected, atol=1e-6)
        assert found.max() > 0


def test_both_agree_on_the_last_stage_alone(network):
    x = torch.randn(1, 3, 64, 64)
    assert torch.allclose(activation_map(network, x, 1), activation_map(network, x, 1, kind=HiResCAM), atol=1e-6)
    first, second = (activation_map(network, x, 1, stage=0, kind=kind) for kind in (GradCAM, HiResCAM))
    assert not torch.allclose(first, second, atol=1e-6)


def test_the_network_is_left_as_it_is(network):
    activation_map(network.requires_grad_(False), torch.randn(1, 3, 32, 32), 0)
    assert network.training
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in network.parameters())


def test_invalid_arguments(network):
    with pytest.raises(IndexError):
        activation_map(network, torch.randn(1, 3, 32, 32), 0, stage=2)
