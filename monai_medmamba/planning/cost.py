"""What a training costs: memory of a GPU and time, from measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

__all__ = ["training_gib", "training_hours"]

BASE_GIB = 0.942
"""Of the device, whatever is trained: its context, libraries' workspaces, the validation's leftovers."""
STATE_GIB = MappingProxyType({"nano": 0.025, "tiny": 0.215, "small": 0.34, "base": 0.702})
"""Weights, gradients and the optimiser's two moments: 16 bytes a parameter."""
VOLUME_STATE_GIB = MappingProxyType({"nano": 0.057, "tiny": 0.498, "small": 0.788, "base": 1.64})
"""The same of networks for volumes."""
BYTES_PER_PIXEL = MappingProxyType({"nano": 252.0, "tiny": 896.0, "small": 1094.0, "base": 1548.0})
"""Of activations, for each pixel of each image of a batch: a step in CUDA graphs, bf16."""
KEPT_BYTES = MappingProxyType(
    {
        "images": {"nano": 557.8, "tiny": 1610.8, "small": 2300.7, "base": 3496.2},
        "volumes": {"nano": 105.8, "tiny": 296.4, "small": 350.0, "base": 494.0},
    }
)
"""What autograd keeps for each pixel or voxel of a training step in float32, counted on a CPU."""
UNMEASURED = 1.5
"""By which an estimate that no GPU has confirmed is raised."""
RATES = MappingProxyType(
    {
        "gpu": {"nano": 3200.0, "tiny": 1500.0, "small": 1070.0, "base": 680.0},
        "cpu": {"nano": 10.0, "tiny": 2.6, "small": 1.6, "base": 0.9},
    }
)
"""Images of 224 px a second of a training, end to end, on one H100 and on two CPU cores."""
VOXELS_PER_SECOND = MappingProxyType({"nano": 1.0e6, "tiny": 0.31e6, "small": 0.19e6, "base": 0.11e6})
"""Of a training of volumes of 32 voxels an edge, end to end, on two CPU cores: nano from 30 epochs on one core, tiny by
its steps beside nano's, small and base by theirs beside tiny's of images. Of larger volumes up to three times as many.
"""


def training_gib(variant: str, size: int | Sequence[int], batch: int) -> float:
    """Returns the memory of a GPU that a training takes, as the device itself counts it.

    Of images it is fitted to `benchmarks/results/*-memory-*.json`, and within 15 % of the sizes and batches there that
    it was not fitted to, by test. Of volumes nothing has been measured on a GPU: what autograd keeps is counted on a
    CPU, taken to what a GPU measured by the same network for images (0.44 to 0.56 of the count, by network), and raised
    by half. For the bundles' training: bf16, AdamW.

    Args:
        variant: of the network.
        size: edge of the images, in pixels; or the three edges of volumes, in voxels, for patches of 4 voxels.
        batch: images of a step.

    Returns:
        GiB.

    Example:
        >>> 3.5 < training_gib("tiny", 224, 64) < 4.5
        True
        >>> 1.5 < training_gib("nano", (96, 96, 96), 16) < 2.5
        True
    """
    if isinstance(size, int):
        return BASE_GIB + STATE_GIB[variant] + BYTES_PER_PIXEL[variant] * batch * size**2 / 2**30
    of_count = BYTES_PER_PIXEL[variant] / KEPT_BYTES["images"][variant]
    kept = UNMEASURED * of_count * KEPT_BYTES["volumes"][variant]
    return BASE_GIB + VOLUME_STATE_GIB[variant] + kept * batch * math.prod(size) / 2**30


def training_hours(device: str, variant: str, size: int | Sequence[int], images: int, epochs: int) -> float | None:
    """Returns how long a training takes, roughly: time is linear in pixels or voxels.

    Args:
        device: ``gpu`` for one H100, ``cpu`` for two cores.
        variant: of the network.
        size: as ``training_gib`` takes it.
        images: of an epoch.
        epochs: how many.

    Returns:
        Hours; None for volumes on a GPU, where nothing has been timed.

    Example:
        >>> round(60 * training_hours("cpu", "nano", 64, images=1480, epochs=24))
        5
    """
    if isinstance(size, int):
        return epochs * images * (size / 224) ** 2 / RATES[device][variant] / 3600
    if device == "gpu":
        return None
    return epochs * images * math.prod(size) / VOXELS_PER_SECOND[variant] / 3600
