"""What a volume goes through before the network, as the bundles' inference does it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from monai.transforms import (
    CastToType,
    NormalizeIntensity,
    ResizeWithPadOrCrop,
    ScaleIntensityRange,
    ScaleIntensityRangePercentiles,
    Spacing,
    Transform,
)
from monai.utils import convert_to_tensor

from ..transforms import LoadVolume

__all__ = ["VolumePreprocessing"]

AXES = 3
KEYS = ("volume_size", "spacing", "intensity_range", "mean", "std")


@dataclass(frozen=True)
class VolumePreprocessing:
    """Reads a volume, scales its intensities, resamples it, cuts or pads it to one size, and normalises it.

    Args:
        volume_size: Voxels towards the patient's right, front and head, each at least 1.
        spacing: Of the voxels along these axes, in mm.
        intensity_range: What becomes 0 and 1, such as -1000 and 400 HU; None takes 0.5 % and 99.5 % of each volume.
        mean: What is subtracted afterwards.
        std: What it is divided by, positive.
        series: Which DICOM series of a folder that holds several, as ``LoadVolume`` takes it.
        missing: What becomes of a series with missing slices, as ``LoadVolume`` takes it.

    Raises:
        ValueError: A value is of another kind or out of range.

    Example:
        >>> VolumePreprocessing((32, 32, 24), (1.5, 1.5, 2.0), (-1000, 400), 0.5, 0.25).shape
        (1, 32, 32, 24)
    """

    volume_size: tuple[int, ...]
    spacing: tuple[float, ...]
    intensity_range: tuple[float, ...] | None
    mean: float
    std: float
    series: str | None = None
    missing: str = "refuse"

    def __post_init__(self) -> None:
        _check("volume_size", self.volume_size, AXES, 0)
        _check("spacing", self.spacing, AXES, 0)
        _check("mean and std", (self.mean, self.std), 2)
        if self.intensity_range is not None:
            _check("intensity_range", self.intensity_range, 2)
            if not self.intensity_range[0] < self.intensity_range[1]:
                raise ValueError(f"expected an intensity_range that rises, got {list(self.intensity_range)}")
        if self.std <= 0 or any(edge != int(edge) for edge in self.volume_size):
            raise ValueError(f"expected whole voxels and a positive std, got {self.volume_size} and {self.std}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what the network takes, without the batch."""
        return (1, *self.volume_size)

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> VolumePreprocessing:
        """Returns what a weights file describes under ``preprocessing``.

        Raises:
            ValueError: Something is missing or wrong.
        """
        missing = [name for name in KEYS if name not in description]
        if missing:
            raise ValueError(f"preprocessing lacks {', '.join(missing)}")
        for name in ("mean", "std"):
            _check(name, description[name], 1)
        size, spacing = (_numbers(name, description[name]) for name in ("volume_size", "spacing"))
        limits = description["intensity_range"]
        scale = None if limits is None else _numbers("intensity_range", limits)
        return cls(size, spacing, scale, description["mean"][0], description["std"][0])

    def describe(self) -> dict[str, Any]:
        """Returns the settings as a weights file holds them."""
        limits = None if self.intensity_range is None else list(self.intensity_range)
        sizes = {"volume_size": list(self.volume_size), "spacing": list(self.spacing), "intensity_range": limits}
        return {**sizes, "mean": [self.mean], "std": [self.std]}

    def read(self, path: str | os.PathLike[str], window: tuple[float, float] | None = None) -> torch.Tensor:
        """Reads one volume.

        Args:
            path: A NIfTI file, a folder with a DICOM series, or a DICOM file of several frames.
            window: Is for pictures and must be None: ``intensity_range`` is in its place.

        Returns:
            Tensor of ``shape``, float32.

        Raises:
            ImageReadError: It cannot be used; the message names it, what is wrong, and the cure.
            ValueError: A window was given.
        """
        if window is not None:
            raise ValueError("expected no window for volumes: their weights say which intensities are taken")
        volume: Any = LoadVolume(self.series, self.missing)(path)
        for transform in self._transforms():
            volume = transform(volume)
        return convert_to_tensor(volume, dtype=torch.float32, track_meta=False)

    def _transforms(self) -> list[Transform]:
        if self.intensity_range is None:
            scale: Transform = ScaleIntensityRangePercentiles(0.5, 99.5, 0.0, 1.0, clip=True)
        else:
            low, high = self.intensity_range
            scale = ScaleIntensityRange(low, high, 0.0, 1.0, clip=True)
        return [
            scale,
            Spacing(self.spacing, mode="bilinear"),
            ResizeWithPadOrCrop(self.volume_size, mode="constant"),
            CastToType(torch.float32),
            NormalizeIntensity(subtrahend=self.mean, divisor=self.std),  # type: ignore[arg-type]  # a number will do
        ]


def _numbers(name: str, values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list | tuple):
        raise ValueError(f"expected {name} as a list of numbers, got {values!r}")
    return tuple(values)


def _check(name: str, values: Any, count: int, above: float = -math.inf) -> None:
    listed: Sequence[Any] = _numbers(name, values)
    good = all(isinstance(v, int | float) and not isinstance(v, bool) and above < v < math.inf for v in listed)
    if len(listed) != count or not good:
        raise ValueError(f"expected {count} numbers{' above 0' if above == 0 else ''} as {name}, got {list(listed)}")
