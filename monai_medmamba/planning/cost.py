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
BYTES_PER_VOXEL = MappingProxyType({"nano": 65.0, "tiny": 227.0, "small": 267.0, "base": 483.0})
"""The same for each voxel of volumes, for patches of 4 voxels."""
RATES = MappingProxyType(
    {
        "gpu": {"nano": 3200.0, "tiny": 1500.0, "small": 1070.0, "base": 680.0},
        "cpu": {"nano": 10.0, "tiny": 2.6, "small": 1.6, "base": 0.9},
    }
)
"""Images of 224 px a second of a training, end to end, on one H100 and on two CPU cores."""
VOXELS_PER_SECOND = MappingProxyType(
    {
        "gpu": {"nano": 520e6, "tiny": 250e6, "small": 190e6, "base": 116e6},
        "cpu": {"nano": 1.0e6, "tiny": 0.31e6, "small": 0.19e6, "base": 0.11e6},
    }
)
"""Of a training of volumes, on one H200 and on two CPU cores. On the GPU from the steps whose memory was measured, less
the sixth by which a training of images is slower than its steps; reading is not in it. On a CPU at 32 voxels an edge,
end to end: nano from 30 epochs on one core, tiny by its steps beside nano's, small and base by theirs beside tiny's of
images. Of larger volumes up to three times as many.
"""


def training_gib(variant: str, size: int | Sequence[int], batch: int) -> float:
    """Returns the memory of a GPU that a training takes, as the device itself counts it.

    Fitted to `benchmarks/results/*-memory-*.json`, and within 15 % of the sizes and batches there that it was not
    fitted to, by test. For the bundles' training: bf16, CUDA graphs, AdamW.

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
    activations = BYTES_PER_VOXEL[variant] * batch * math.prod(size)
    return BASE_GIB + VOLUME_STATE_GIB[variant] + activations / 2**30


def training_hours(device: str, variant: str, size: int | Sequence[int], images: int, epochs: int) -> float:
    """Returns how long a training takes, roughly: time is linear in pixels or voxels.

    Args:
        device: ``gpu`` for one H100, ``cpu`` for two cores.
        variant: of the network.
        size: as ``training_gib`` takes it.
        images: of an epoch.
        epochs: how many.

    Returns:
        Hours.

    Example:
        >>> round(60 * training_hours("cpu", "nano", 64, images=1480, epochs=24))
        5
    """
    if isinstance(size, int):
        return epochs * images * (size / 224) ** 2 / RATES[device][variant] / 3600
    return epochs * images * math.prod(size) / VOXELS_PER_SECOND[device][variant] / 3600
