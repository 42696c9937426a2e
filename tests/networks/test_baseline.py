"""Networks of MONAI's to compare with."""

import pytest
import torch

from monai_medmamba.networks import BASELINES, create_baseline


@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("name", BASELINES)
def test_shape(name, spatial_dims):
    network = create_baseline(name, spatial_dims, in_channels=2, num_classes=5).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 2, *[32] * spatial_dims)).shape == (1, 5)


@pytest.mark.parametrize(("name", "millions"), [("resnet18", 11.18), ("densenet121", 6.96), ("seresnet50", 26.04)])
def test_size(name, millions):
    """The parameters of the published networks, their heads for two classes instead of a thousand."""
    network = create_baseline(name, num_classes=2)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_invalid_arguments():
    with pytest.raises(ValueError, match=r"one of resnet18, densenet121, seresnet50; got 'resnet50'"):
        create_baseline("resnet50", num_classes=2)
