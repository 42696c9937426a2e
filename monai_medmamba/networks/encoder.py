"""MedMamba as an encoder: for MONAI's FlexibleUNet, for other decoders, and for heads on pooled features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai.networks.blocks import BaseEncoder, Convolution
from monai.networks.nets.flexible_unet import FLEXUNET_BACKBONE
from torch import Tensor, nn

from .medmamba import MedMamba
from .sizes import VARIANTS, create_medmamba
from .weights import load_weights

__all__ = ["MedMambaEncoder", "PooledFeatures"]


class MedMambaEncoder(nn.Module, BaseEncoder):
    """Gives maps at a half, a quarter, ... of the image's size: a convolution's, then those of MedMamba's stages.

    Importing this module registers every size with MONAI, so ``FlexibleUNet(backbone="medmamba_tiny")`` builds one.
    MedMamba begins at a quarter; the map at a half, which a U-Net decoder wants, comes from a convolution of its own.
    With other patches or merging, which FlexibleUNet's decoder cannot follow and never asks for, ``feature_strides``
    says how large the maps are; the first then has half the patch's stride, at least 1.

    Args:
        spatial_dims: 2 or 3.
        in_channels: of the image.
        pretrained: must be False: no weights come with the package. ``load_classifier`` takes yours.
        variant: ``nano``, ``tiny``, ``small`` or ``base``.
        drop_path_rate: of the last block, in [0, 1).
        use_checkpoint: compute blocks again in the backward pass, for less memory; one for all stages, or one for each.
        backend: of the scan; see :func:`monai_medmamba.ops.cross_selective_scan`.
        patch_size: edges of a patch, one for all axes or one for each.
        patch_stride: pixels from a patch to the next; None for ``patch_size``.
        merge_strides: what divides the map's size between stages; see :class:`MedMamba`.

    Raises:
        ValueError: ``pretrained`` is set, the variant is unknown, or patches or merging do not fit.

    Example:
        >>> import torch
        >>> encoder = MedMambaEncoder(variant="nano").eval()
        >>> [tuple(map.shape) for map in encoder(torch.zeros(1, 3, 64, 64))][:3]
        [(1, 16, 32, 32), (1, 32, 16, 16), (1, 64, 8, 8)]
        >>> from monai.networks.nets import FlexibleUNet
        >>> net = FlexibleUNet(in_channels=1, out_channels=2, backbone="medmamba_nano").eval()
        >>> net(torch.zeros(1, 1, 64, 48)).shape
        torch.Size([1, 2, 64, 48])
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        in_channels: int = 3,
        pretrained: bool = False,
        variant: str = "tiny",
        drop_path_rate: float = 0.1,
        use_checkpoint: bool | Sequence[bool] = False,
        backend: str | None = None,
        patch_size: int | Sequence[int] = 4,
        patch_stride: int | Sequence[int] | None = None,
        merge_strides: int | Sequence[int | Sequence[int]] = 2,
    ) -> None:
        super().__init__()
        if pretrained:
            raise ValueError(
                "no pretrained weights come with monai_medmamba: leave pretrained=False, and give the weights of a "
                "classifier that you trained to load_classifier()"
            )
        self.network = create_medmamba(
            variant,
            spatial_dims,
            in_channels,
            num_classes=1,
            drop_path_rate=drop_path_rate,
            use_checkpoint=use_checkpoint,
            backend=backend,
            patch_size=patch_size,
            patch_stride=patch_stride,
            merge_strides=merge_strides,
        )
        # A parameter without a gradient would stop distributed training.
        self.network.head = nn.Identity()  # type: ignore[assignment]
        half = self.network.dims[0] // 2
        strides = [max(1, stride // 2) for stride in self.network.feature_strides[0]]
        self.first = Convolution(
            spatial_dims, in_channels, half, strides=strides, act="relu", norm="batch", adn_ordering="NA"
        )
        self.feature_strides = (tuple(strides), *self.network.feature_strides)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Returns the maps, largest first.

        Args:
            x: (B, in_channels, *space), every edge at least 32 by default; multiples of 32 halve without remainder.

        Returns:
            (B, dims[0] / 2, *space / 2), then one map a stage, (B, dims[i], *space / (4 * 2**i)), by default;
            ``feature_strides`` holds what the sizes are divided by.
        """
        return [self.first(x), *self.network.forward_features(x)]

    def load_classifier(self, path: str | Path) -> None:
        """Takes the weights of a trained classifier of the same shape; its head and the half-size map are left out.

        Args:
            path: ``model.safetensors`` or ``model.pt`` of a training.

        Raises:
            ValueError: the classifier has another shape, and which.
        """
        classifier, _description = load_weights(path)
        own, other = ({**network.settings, "num_classes": 0} for network in (self.network, classifier))
        if own != other:
            raise ValueError(f"{path} holds a network of {other}, expected {own}")
        state = {name: value for name, value in classifier.state_dict().items() if not name.startswith("head.")}
        self.network.load_state_dict(state)

    @classmethod
    def get_encoder_names(cls) -> list[str]:
        """Returns the names of the sizes, such as ``medmamba_tiny``."""
        return [f"medmamba_{variant}" for variant in VARIANTS]

    @classmethod
    def get_encoder_parameters(cls) -> list[dict[str, Any]]:
        """Returns the arguments that build each size."""
        common = {"spatial_dims": 2, "in_channels": 3, "pretrained": False}
        return [{**common, "variant": variant} for variant in VARIANTS]

    @classmethod
    def num_channels_per_output(cls) -> list[tuple[int, ...]]:
        """Returns the channels of each map, for each size."""
        return [(variant.dims[0] // 2, *variant.dims) for variant in VARIANTS.values()]

    @classmethod
    def num_outputs(cls) -> list[int]:
        """Returns the number of maps, for each size."""
        return [1 + len(variant.dims) for variant in VARIANTS.values()]


class PooledFeatures(nn.Module):
    """The mean of a network's last map: a vector for each image, for heads such as MONAI's ``MILModel``.

    Args:
        network: whose features they are; its head is not used, and not trained.

    Example:
        >>> import torch
        >>> from monai.networks.nets import MILModel
        >>> features = PooledFeatures(MedMamba(num_classes=2, depths=(1,), dims=(16,)))
        >>> options = {"backbone": features, "backbone_num_features": features.num_features, "pretrained": False}
        >>> MILModel(num_classes=2, mil_mode="att", **options).eval()(torch.zeros(1, 5, 3, 32, 32)).shape
        torch.Size([1, 2])
    """

    def __init__(self, network: MedMamba) -> None:
        super().__init__()
        self.network = network
        self.network.head.requires_grad_(False)

    @property
    def num_features(self) -> int:
        """The length of a vector."""
        return self.network.dims[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, num_features) from images (B, in_channels, *space)."""
        return self.network.forward_features(x)[-1].flatten(2).mean(-1)


FLEXUNET_BACKBONE.register_class(MedMambaEncoder)
