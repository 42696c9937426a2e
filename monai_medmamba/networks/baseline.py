"""Networks that MONAI has, to hold MedMamba against."""

from __future__ import annotations

from torch import nn

__all__ = ["BASELINES", "create_baseline"]

BASELINES = ("resnet18", "densenet121", "seresnet50")


def create_baseline(name: str, spatial_dims: int = 2, in_channels: int = 3, *, num_classes: int) -> nn.Module:
    """Returns a network of MONAI's, without trained weights.

    MONAI's ResNet steps by one pixel in its first convolution unless it is told otherwise; here it steps by two, as
    published (arXiv 1512.03385).

    Args:
        name: ``"resnet18"``, ``"densenet121"`` or ``"seresnet50"``.
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        num_classes: classes, at least 1.

    Returns:
        A network that takes (B, in_channels, H, W), or (B, in_channels, H, W, Z), to logits (B, num_classes).

    Raises:
        ValueError: there is no such baseline.

    Example:
        >>> create_baseline("resnet18", num_classes=2).conv1.stride
        (2, 2)
    """
    from monai.networks import nets

    if name == "resnet18":
        return nets.resnet18(
            spatial_dims=spatial_dims, n_input_channels=in_channels, num_classes=num_classes, conv1_t_stride=2
        )
    if name == "densenet121":
        return nets.DenseNet121(spatial_dims, in_channels, num_classes)
    if name == "seresnet50":
        return nets.SEResNet50(spatial_dims=spatial_dims, in_channels=in_channels, num_classes=num_classes)
    raise ValueError(f"expected a baseline, one of {', '.join(BASELINES)}; got {name!r}")
