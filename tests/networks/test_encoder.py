import pytest
import torch
from monai.losses import DiceCELoss
from monai.metrics import DiceHelper
from monai.networks.nets import FlexibleUNet, MILModel
from monai.networks.nets.flexible_unet import FLEXUNET_BACKBONE

from monai_medmamba.networks import VARIANTS, MedMambaEncoder, PooledFeatures, create_medmamba, save_weights


@pytest.mark.parametrize(
    ("spatial_dims", "space", "halves"), [(2, (64, 96), 5), (2, (70, 53), None), (3, (32, 64, 32), 5)]
)
def test_shape(spatial_dims, space, halves):
    encoder = MedMambaEncoder(spatial_dims, in_channels=2, variant="nano").eval()
    maps = encoder(torch.randn(2, 2, *space))
    assert [m.shape[1] for m in maps] == [16, 32, 64, 128, 256]
    if halves:
        assert [m.shape[2:] for m in maps] == [tuple(n // 2**i for n in space) for i in range(1, 6)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_registered_is_what_comes_out(variant):
    entry = FLEXUNET_BACKBONE.register_dict[f"medmamba_{variant}"]
    encoder = MedMambaEncoder(variant=variant).eval()
    assert entry["type"] is MedMambaEncoder
    assert entry["parameter"]["variant"] == variant
    assert tuple(m.shape[1] for m in encoder(torch.zeros(1, 3, 32, 32))) == entry["feature_channel"]
    assert len(entry["feature_channel"]) == entry["feature_number"]


def lesions(count, seed, size=64):
    """Bright ellipses of any place, size and axis under noise, and their masks."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    centre, radius = torch.rand(2, count, 2, 1, 1, generator=generator)
    centre, radius = centre - 0.5, 0.2 + 0.3 * radius
    mask = ((x - centre[:, 0]) / radius[:, 0]) ** 2 + ((y - centre[:, 1]) / radius[:, 1]) ** 2 < 1
    image = mask.float() + 0.7 * torch.randn(mask.shape, generator=generator)
    return image[:, None], mask[:, None].float()


@pytest.mark.parametrize("variant", ["nano", pytest.param("tiny", marks=pytest.mark.slow)])
def test_a_flexible_unet_learns_to_segment(variant):
    torch.manual_seed(0)
    net = FlexibleUNet(in_channels=1, out_channels=1, backbone=f"medmamba_{variant}").train()
    optimizer, loss = torch.optim.AdamW(net.parameters(), lr=2e-3), DiceCELoss(sigmoid=True)
    for step in range(40):
        image, mask = lesions(8, seed=step)
        optimizer.zero_grad()
        loss(net(image), mask).backward()
        if step == 0:
            assert all(parameter.grad is not None for parameter in net.parameters())
        optimizer.step()
    image, mask = lesions(16, seed=1000)
    with torch.no_grad():
        net.eval()
        dice, _ = DiceHelper(threshold=True, include_background=True)(net(image), mask)
    assert dice.mean() > 0.85


def test_a_flexible_unet_of_a_volume():
    net = FlexibleUNet(in_channels=1, out_channels=2, backbone="medmamba_nano", spatial_dims=3).eval()
    assert net(torch.zeros(1, 1, 32, 64, 32)).shape == (1, 2, 32, 64, 32)


def test_pooled_features_in_multiple_instance_learning():
    features = PooledFeatures(create_medmamba("nano", num_classes=2))
    options = {"backbone": features, "backbone_num_features": features.num_features, "pretrained": False}
    net = MILModel(num_classes=3, mil_mode="att", **options)
    net(torch.randn(2, 3, 3, 32, 32)).sum().backward()
    without = [name for name, parameter in net.named_parameters() if parameter.requires_grad and parameter.grad is None]
    assert without == []


def test_takes_the_weights_of_a_classifier(tmp_path):
    classifier = create_medmamba("nano", num_classes=3).eval()
    path = tmp_path / "model.safetensors"
    save_weights(path, classifier, ["a", "b", "c"], {"image_size": 32})
    encoder = MedMambaEncoder(variant="nano").eval()
    encoder.load_classifier(path)
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(encoder(x)[-1], classifier.forward_features(x)[-1])
    with pytest.raises(ValueError, match=r"model\.safetensors holds a network of .*'in_channels': 3.*expected"):
        MedMambaEncoder(in_channels=1, variant="nano").load_classifier(path)


def test_invalid_arguments():
    with pytest.raises(ValueError, match=r"load_classifier\(\)"):
        MedMambaEncoder(pretrained=True)
    with pytest.raises(ValueError, match="huge"):
        MedMambaEncoder(variant="huge")


def test_strides_of_each_axis():
    thick = {"patch_size": (2, 4, 4), "merge_strides": [(1, 2, 2), 2, 2]}
    encoder = MedMambaEncoder(3, in_channels=1, variant="nano", **thick).eval()
    assert encoder.feature_strides == ((1, 2, 2), (2, 4, 4), (2, 8, 8), (4, 16, 16), (8, 32, 32))
    space = (8, 64, 32)
    for m, strides in zip(encoder(torch.zeros(1, 1, *space)), encoder.feature_strides, strict=True):
        assert m.shape[2:] == tuple(edge // stride for edge, stride in zip(space, strides, strict=True))


def test_a_classifier_of_other_patches_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(path, create_medmamba("nano", num_classes=2, patch_size=(4, 2)), ["a", "b"], {})
    with pytest.raises(ValueError, match=r"'patch_size': \[4, 2\]"):
        MedMambaEncoder(variant="nano").load_classifier(path)
