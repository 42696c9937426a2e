import pytest
import torch
from torch.nn import functional

from monai_medmamba.explain import (
    METHODS,
    HiResCAM,
    activation_map,
    attribute_scans,
    deletion_and_insertion,
    importance_map,
    occlusion_map,
)
from monai_medmamba.inference import find_pictures, load_classifier
from monai_medmamba.inference.classifier import read_weights


@pytest.mark.parametrize("method", METHODS)
def test_shape(network, method):
    assert importance_map(network, torch.randn(2, 3, 40, 36), 1, method).shape == (2, 40, 36)


def test_defaults(network):
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(importance_map(network, x, 1), occlusion_map(network, x, 1))
    assert torch.equal(importance_map(network, x, 1, "scan"), attribute_scans(network, x, 1).total)
    assert torch.equal(importance_map(network, x, 1, "gradcam"), activation_map(network, x, 1, stage=1))
    hirescam = activation_map(network, x, 1, stage=0, kind=HiResCAM)
    assert torch.equal(importance_map(network, x, 1, "hirescam"), hirescam)


def test_stage(network):
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(importance_map(network, x, 1, "scan", stage=1), attribute_scans(network, x, 1, stages=[1]).total)
    assert torch.equal(importance_map(network, x, 1, "gradcam", stage=0), activation_map(network, x, 1, stage=0))


@pytest.mark.parametrize(
    ("method", "stage", "message"),
    [("saliency", None, "one of the methods"), ("scan", 2, "from 0 to 1"), ("occlusion", 0, "leave it out")],
)
def test_invalid_arguments(network, method, stage, message):
    with pytest.raises(ValueError, match=message):
        importance_map(network, torch.randn(1, 3, 32, 32), 1, method, stage=stage)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_scans_attribution_beats_random_maps(medmamba_data, patch_weights):
    """On real images, insertion less deletion: the whole interval over the better of two random maps, of three each."""
    network = read_weights(patch_weights)[0]
    preprocessing = load_classifier(patch_weights, device="cpu").preprocessing
    images = find_pictures([medmamba_data / "kvasir_seg_patches" / "test"])[0][::4]
    x = torch.stack([preprocessing.read(image) for image in images])

    def probabilities(batch):
        with torch.inference_mode():
            return network(batch).softmax(1)

    index = probabilities(x).argmax(1)
    heat = torch.zeros(len(x), *x.shape[2:])
    for chosen in index.unique().tolist():
        heat[index == chosen] = importance_map(network, x[index == chosen], chosen, "scan")

    def gain(maps):
        areas = deletion_and_insertion(probabilities, x, maps, index, steps=8).areas
        return areas[:, 1] - areas[:, 0]

    pixels = torch.stack([gain(torch.rand(heat.shape)) for _ in range(3)]).mean(0)
    coarse = [functional.interpolate(torch.rand(len(x), 1, 8, 8), x.shape[2:], mode="bilinear") for _ in range(3)]
    blobs = torch.stack([gain(maps[:, 0]) for maps in coarse]).mean(0)
    for random in (pixels, blobs):
        over = gain(heat) - random
        assert over.mean() > 1.96 * over.std() / len(over) ** 0.5 + 0.05
    assert gain(-heat).mean() < gain(heat).mean() - 0.2
