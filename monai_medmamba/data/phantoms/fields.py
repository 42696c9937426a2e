"""Smooth random fields and soft edges: the drawing tools of the phantoms. Arrays are (N, N) or (N, N, N), float64."""

import numpy as np

Field = np.ndarray


def noise(rng: np.random.Generator, size: int, length: float, axes: int = 2) -> Field:
    """Returns a smooth random field of mean 0 and deviation 1.

    Args:
        rng: Source of randomness.
        size: N, in pixels.
        length: Size of its blobs as a share of half the picture's width.
        axes: 2 for a picture, 3 for a volume.
    """
    field = blur(rng.standard_normal((size,) * axes), length)
    return (field - field.mean()) / field.std()


def step(value: Field, low: Field | float, high: Field | float) -> Field:
    """Returns a soft step: 0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bump(value: Field, width: Field | float) -> Field:
    """Returns a bell of ``value``: 1 at 0, falling off over ``width``."""
    return np.exp(-((value / width) ** 2))


def blur(field: Field, length: float) -> Field:
    """Returns the field smoothed by a Gaussian, its deviation a share of half the width; borders wrap around."""
    size = len(field)
    waves = np.meshgrid(*[np.fft.fftfreq(size)] * (field.ndim - 1), np.fft.rfftfreq(size), indexing="ij", sparse=True)
    passed = np.exp(-2 * (np.pi * length * size / 2) ** 2 * sum(wave**2 for wave in waves))
    return np.fft.irfftn(np.fft.rfftn(field) * passed, s=field.shape, axes=range(field.ndim))
