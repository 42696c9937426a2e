import pytest
import torch

from monai_medmamba.explain import METHODS, HiResCAM, activation_map, attribute_scans, importance_map


@pytest.mark.parametrize("method", METHODS)
def test_shape(network, method):
    assert importance_map(network, torch.randn(2, 3, 40, 36), 1, method).shape == (2, 40, 36)


def test_defaults(network):
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(importance_map(network, x, 1), attribute_scans(network, x, 1).total)
    assert torch.equal(importance_map(network, x, 1, "gradcam"), activation_map(network, x, 1, stage=1))
    hirescam = activation_map(network, x, 1, stage=0, kind=HiResCAM)
    assert torch.equal(importance_map(network, x, 1, "hirescam"), hirescam)


def test_stage(network):
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(importance_map(network, x, 1, stage=0), attribute_scans(network, x, 1, stages=[0]).total)
    assert torch.equal(importance_map(network, x, 1, "gradcam", stage=0), activation_map(network, x, 1, stage=0))


@pytest.mark.parametrize(
    ("method", "stage", "message"),
    [("saliency", None, "one of the methods"), ("scan", 2, "from 0 to 1"), ("occlusion", 0, "leave it out")],
)
def test_invalid_arguments(network, method, stage, message):
    with pytest.raises(ValueError, match=message):
        importance_map(network, torch.randn(1, 3, 32, 32), 1, method, stage=stage)
