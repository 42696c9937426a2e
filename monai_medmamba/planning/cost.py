"""What a training costs: memory of a GPU and time, from measurements."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["training_gib", "training_hours"]

BASE_GIB = 0.942
"""Of the device, whatever is trained: its context, libraries' workspaces, the validation's leftovers."""
STATE_GIB = MappingProxyType({"nano": 0.025, "tiny": 0.215, "small": 0.34, "base": 0.702})
"""Weights, gradients and the optimiser's two moments: 16 bytes a parameter."""
BYTES_PER_PIXEL = MappingProxyType({"nano": 252.0, "tiny": 896.0, "small": 1094.0, "base": 1548.0})
"""Of activations, for each pixel of each image of a batch: a step in CUDA graphs, bf16."""
RATES = MappingProxyType(
    {
        "gpu": {"nano": 3200.0, "tiny": 1500.0, "small": 1070.0, "base": 680.0},
        "cpu": {"nano": 10.0, "tiny": 2.6, "small": 1.6, "base": 0.9},
    }
)
"""Images of 224 px a second of a training, end to end, on one H100 and on two CPU cores."""


def training_gib(variant: str, size: int, batch: int) -> float:
    """Returns the memory of a GPU that a training takes, as the device itself counts it.

    Fitted to `benchmarks/results/*-memory-*.json`, and within 15 % of the sizes and batches there that it was not
    fitted to, by test. For the bundles' training: bf16, passes from CUDA graphs, AdamW.

    Args:
        variant: of the network.
        size: edge of the images, in pixels.
        batch: images of a step.

    Returns:
        GiB.

    Example:
        >>> 3.5 < training_gib("tiny", 224, 64) < 4.5
        True
    """
    return BASE_GIB + STATE_GIB[variant] + BYTES_PER_PIXEL[variant] * batch * size**2 / 2**30


def training_hours(device: str, variant: str, size: int, images: int, epochs: int) -> float:
    """Returns how long a training takes, roughly: time is linear in pixels.

    Args:
        device: ``gpu`` for one H100, ``cpu`` for two cores.
        variant: of the network.
        size: edge of the images, in pixels.
        images: of an epoch.
        epochs: how many.

    Returns:
        Hours.

    Example:
        >>> round(60 * training_hours("cpu", "nano", 64, images=1480, epochs=24))
        5
    """
    return epochs * images * (size / 224) ** 2 / RATES[device][variant] / 3600
