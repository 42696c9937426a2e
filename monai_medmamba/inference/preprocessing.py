"""What a picture goes through before the network, as the bundles' inference does it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from monai.transforms import Resize
from monai.utils import convert_to_tensor
from numpy.typing import NDArray

from ..transforms import NormalizeRGB, QuantizeRGB, decode_picture

__all__ = ["Preprocessing"]

CHANNELS = 3


@dataclass(frozen=True)
class Preprocessing:
    """Reads a picture as RGB, resizes it to a square, rounds it to 256 levels, and normalises its channels.

    Args:
        image_size: Side of the square in pixels, at least 1.
        mean: What is subtracted from each channel.
        std: What each channel is divided by afterwards, positive.

    Raises:
        ValueError: A value is missing, of another kind or out of range.

    Example:
        >>> Preprocessing(64, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)).image_size
        64
    """

    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if isinstance(self.image_size, bool) or not isinstance(self.image_size, int) or self.image_size < 1:
            raise ValueError(f"expected an image size in whole pixels, got {self.image_size!r}")
        for name, values, lowest in (("mean", self.mean, -math.inf), ("std", self.std, 0)):
            good = all(isinstance(value, int | float) and lowest < value < math.inf for value in values)
            if len(values) != CHANNELS or not good:
                wanted = "positive numbers" if name == "std" else "numbers"
                raise ValueError(f"expected {CHANNELS} {wanted} as {name}, got {list(values)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what the network takes, without the batch."""
        return (CHANNELS, self.image_size, self.image_size)

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Preprocessing:
        """Returns what a weights file describes under ``preprocessing``.

        Raises:
            ValueError: ``image_size``, ``mean`` or ``std`` is missing or wrong.
        """
        missing = [name for name in ("image_size", "mean", "std") if name not in description]
        if missing:
            raise ValueError(f"preprocessing lacks {', '.join(missing)}")
        mean, std = (description[name] for name in ("mean", "std"))
        if not all(isinstance(values, list | tuple) for values in (mean, std)):
            raise ValueError(f"expected mean and std as lists of {CHANNELS} numbers, got {mean!r} and {std!r}")
        return cls(description["image_size"], tuple(mean), tuple(std))

    def describe(self) -> dict[str, Any]:
        """Returns the settings as a weights file holds them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def read(self, path: str | os.PathLike[str], window: tuple[float, float] | None = None) -> torch.Tensor:
        """Reads one picture.

        Args:
            path: A png, jpg, bmp, tif or DICOM file; its content decides which.
            window: Centre and width for grey DICOM files, in place of what they carry.

        Returns:
            Tensor (3, image_size, image_size), float32.

        Raises:
            ImageReadError: The file cannot be used; the message names it, what is wrong, and the cure.
        """
        return self.prepare(decode_picture(path, window))

    def prepare(self, pixels: NDArray[np.float32]) -> torch.Tensor:
        """Returns what the network takes of a decoded picture (3, H, W), float32, in [0, 1]; as ``read`` does."""
        return self.normalize(self.resize(pixels))

    def resize(self, pixels: NDArray[np.float32]) -> torch.Tensor:
        """Returns a decoded picture at the network's size, still in [0, 1]: the first half of ``prepare``."""
        resize = Resize((self.image_size, self.image_size), mode="bilinear", anti_aliasing=True)
        return convert_to_tensor(resize(torch.from_numpy(pixels)), dtype=torch.float32, track_meta=False)

    def normalize(self, resized: torch.Tensor) -> torch.Tensor:
        """Returns a resized picture rounded to 256 levels and normalised: the second half of ``prepare``."""
        quantized = QuantizeRGB()(resized)  # as training keeps its images
        return convert_to_tensor(NormalizeRGB(self.mean, self.std)(quantized), dtype=torch.float32, track_meta=False)
