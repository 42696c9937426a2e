"""The sizes of MedMamba, by name."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from .medmamba import MedMamba

__all__ = ["VARIANTS", "create_medmamba", "medmamba_base", "medmamba_nano", "medmamba_small", "medmamba_tiny"]


class Variant(NamedTuple):
    """What makes a size."""

    depths: tuple[int, ...]
    dims: tuple[int, ...]
    d_state: int


VARIANTS = MappingProxyType(
    {
        "nano": Variant((2, 2, 4, 2), (32, 64, 128, 256), 8),
        "tiny": Variant((2, 2, 4, 2), (96, 192, 384, 768), 16),
        "small": Variant((2, 2, 12, 2), (96, 192, 384, 768), 16),
        "base": Variant((2, 2, 16, 2), (128, 256, 512, 1024), 16),
    }
)
"""Depths, widths and states of each size. Tiny, small and base are the paper's (14.5, 22.8 and 47.1 million
parameters); nano is ours, for CPUs and edge devices."""


def create_medmamba(
    variant: str,
    spatial_dims: int = 2,
    in_channels: int = 3,
    *,
    num_classes: int,
    drop_path_rate: float = 0.1,
    use_checkpoint: bool | Sequence[bool] = False,
    backend: str | None = None,
    patch_size: int | Sequence[int] = 4,
    patch_stride: int | Sequence[int] | None = None,
    merge_strides: int | Sequence[int | Sequence[int]] = 2,
) -> MedMamba:
    """Returns a MedMamba of a named size.

    Args:
        variant: ``"nano"``, ``"tiny"``, ``"small"`` or ``"base"``, with or without ``medmamba_`` before it.
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        num_classes: classes, at least 1.
        drop_path_rate: stochastic depth of the last block.
        use_checkpoint: trade time for memory in training; one for all stages, or one for each.
        backend: of the scans.
        patch_size: edges of a patch, one for all axes or one for each.
        patch_stride: pixels from a patch to the next; None for ``patch_size``.
        merge_strides: what divides the map's size between stages; see :class:`MedMamba`.

    Returns:
        The network, randomly initialised.

    Raises:
        ValueError: no size has that name, or patches or merging do not fit.

    Example:
        >>> create_medmamba("nano", num_classes=8).dims
        (32, 64, 128, 256)
    """
    name = variant.removeprefix("medmamba_")
    if name not in VARIANTS:
        raise ValueError(f"variant: expected one of {', '.join(VARIANTS)}, got '{variant}'")
    depths, dims, d_state = VARIANTS[name]
    return MedMamba(
        spatial_dims,
        in_channels,
        num_classes=num_classes,
        depths=depths,
        dims=dims,
        d_state=d_state,
        drop_path_rate=drop_path_rate,
        use_checkpoint=use_checkpoint,
        backend=backend,
        patch_size=patch_size,
        patch_stride=patch_stride,
        merge_strides=merge_strides,
    )


def medmamba_nano(
    spatial_dims: int = 2,
    in_channels: int = 3,
    *,
    num_classes: int,
    drop_path_rate: float = 0.1,
    use_checkpoint: bool | Sequence[bool] = False,
    backend: str | None = None,
    patch_size: int | Sequence[int] = 4,
    patch_stride: int | Sequence[int] | None = None,
    merge_strides: int | Sequence[int | Sequence[int]] = 2,
) -> MedMamba:
    """Returns MedMamba-Nano: about 2 million parameters, for CPUs and edge devices.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        num_classes: classes, at least 1.
        drop_path_rate: stochastic depth of the last block.
        use_checkpoint: trade time for memory in training; one for all stages, or one for each.
        backend: of the scans.
        patch_size: edges of a patch, one for all axes or one for each.
        patch_stride: pixels from a patch to the next; None for ``patch_size``.
        merge_strides: what divides the map's size between stages; see :class:`MedMamba`.

    Returns:
        The network, randomly initialised.

    Example:
        >>> medmamba_nano(num_classes=6).dims
        (32, 64, 128, 256)
    """
    return create_medmamba(
        "nano",
        spatial_dims,
        in_channels,
        num_classes=num_classes,
        drop_path_rate=drop_path_rate,
        use_checkpoint=use_checkpoint,
        backend=backend,
        patch_size=patch_size,
        patch_stride=patch_stride,
        merge_strides=merge_strides,
    )


def medmamba_tiny(
    spatial_dims: int = 2,
    in_channels: int = 3,
    *,
    num_classes: int,
    drop_path_rate: float = 0.1,
    use_checkpoint: bool | Sequence[bool] = False,
    backend: str | None = None,
    patch_size: int | Sequence[int] = 4,
    patch_stride: int | Sequence[int] | None = None,
    merge_strides: int | Sequence[int | Sequence[int]] = 2,
) -> MedMamba:
    """Returns MedMamba-Tiny: 14.5 million parameters, the paper's MedMamba-T.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        num_classes: classes, at least 1.
        drop_path_rate: stochastic depth of the last block.
        use_checkpoint: trade time for memory in training; one for all stages, or one for each.
        backend: of the scans.
        patch_size: edges of a patch, one for all axes or one for each.
        patch_stride: pixels from a patch to the next; None for ``patch_size``.
        merge_strides: what divides the map's size between stages; see :class:`MedMamba`.

    Returns:
        The network, randomly initialised.

    Example:
        >>> medmamba_tiny(num_classes=6).dims
        (96, 192, 384, 768)
    """
    return create_medmamba(
        "tiny",
        spatial_dims,
        in_channels,
        num_classes=num_classes,
        drop_path_rate=drop_path_rate,
        use_checkpoint=use_checkpoint,
        backend=backend,
        patch_size=patch_size,
        patch_stride=patch_stride,
        merge_strides=merge_strides,
    )


def medmamba_small(
    spatial_dims: int = 2,
    in_channels: int = 3,
    *,
    num_classes: int,
    drop_path_rate: float = 0.1,
    use_checkpoint: bool | Sequence[bool] = False,
    backend: str | None = None,
    patch_size: int | Sequence[int] = 4,
    patch_stride: int | Sequence[int] | None = None,
    merge_strides: int | Sequence[int | Sequence[int]] = 2,
) -> MedMamba:
    """Returns MedMamba-Small: 22.8 million parameters, the paper's MedMamba-S.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        num_classes: classes, at least 1.
        drop_path_rate: stochastic depth of the last block.
        use_checkpoint: trade time for memory in training; one for all stages, or one for each.
        backend: of the scans.
        patch_size: edges of a patch, one for all axes or one for each.
        patch_stride: pixels from a patch to the next; None for ``patch_size``.
        merge_strides: what divides the map's size between stages; see :class:`MedMamba`.

    Returns:
        The network, randomly initialised.

    Example:
        >>> medmamba_small(num_classes=6).dims
        (96, 192, 384, 768)
    """
    return create_medmamba(
        "small",
        spatial_dims,
        in_channels,
        num_classes=num_classes,
        drop_path_rate=drop_path_rate,
        use_checkpoint=use_checkpoint,
        backend=backend,
        patch_size=patch_size,
        patch_stride=patch_stride,
        merge_strides=merge_strides,
    )


def medmamba_base(
    spatial_dims: int = 2,
    in_channels: int = 3,
    *,
    num_classes: int,
    drop_path_rate: float = 0.1,
    use_checkpoint: bool | Sequence[bool] = False,
    backend: str | None = None,
    patch_size: int | Sequence[int] = 4,
    patch_stride: int | Sequence[int] | None = None,
    merge_strides: int | Sequence[int | Sequence[int]] = 2,
) -> MedMamba:
    """Returns MedMamba-Base: 47.1 million parameters, the paper's MedMamba-B.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        num_classes: classes, at least 1.
        drop_path_rate: stochastic depth of the last block.
        use_checkpoint: trade time for memory in training; one for all stages, or one for each.
        backend: of the scans.
        patch_size: edges of a patch, one for all axes or one for each.
        patch_stride: pixels from a patch to the next; None for ``patch_size``.
        merge_strides: what divides the map's size between stages; see :class:`MedMamba`.

    Returns:
        The network, randomly initialised.

    Example:
        >>> medmamba_base(num_classes=6).dims
        (128, 256, 512, 1024)
    """
    return create_medmamba(
        "base",
        spatial_dims,
        in_channels,
        num_classes=num_classes,
        drop_path_rate=drop_path_rate,
        use_checkpoint=use_checkpoint,
        backend=backend,
        patch_size=patch_size,
        patch_stride=patch_stride,
        merge_strides=merge_strides,
    )
