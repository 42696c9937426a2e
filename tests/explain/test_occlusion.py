import pytest
import torch
from torch import nn

from monai_medmamba.explain import occlusion_map


class Corner(nn.Module):
    """Goes by the brightness of the upper left corner alone."""

    def forward(self, x):
        corner = x[:, :, :10, :10].mean((1, 2, 3))
        return torch.stack([-corner, corner], dim=1)


@pytest.mark.parametrize("space", [(40, 40), (40, 57)], ids=str)
def test_points_at_what_counts(space):
    x = torch.zeros(2, 3, *space)
    x[0, :, :10, :10] = 5
    found = occlusion_map(Corner(), x, 1, mask_size=10)
    assert type(found) is torch.Tensor
    assert found.shape == (2, *space)
    assert found[0, :10, :10].mean() > 10 * found[0, 20:, 20:].abs().max() + 0.1
    assert found[1].abs().max() < 1e-6
    assert torch.allclose(occlusion_map(Corner(), x, 0, mask_size=10), -found, atol=1e-6)


def test_the_network_is_left_as_it_is(network):
    occlusion_map(network, torch.randn(1, 3, 40, 36), 1, mask_size=20)
    assert network.training


def test_invalid_arguments(network):
    with pytest.raises(ValueError, match="should be bigger than mask"):
        occlusion_map(network, torch.randn(1, 3, 32, 32), 1, mask_size=40)
