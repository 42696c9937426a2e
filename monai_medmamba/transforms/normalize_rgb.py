"""Normalisation of one picture or of a batch, wherever it lies."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

from monai_medmamba.transforms.quantize_rgb import dequantize_rgb


class NormalizeRGB(Transform):
    """Subtracts a mean and divides by a standard deviation, channel by channel.

    MONAI's ``NormalizeIntensity`` does this for one image; this one takes a batch on a GPU as well.

    Args:
        mean: Of each channel, for values in [0, 1].
        std: Of each channel, above 0.

    Raises:
        ValueError: The two differ in length, or a standard deviation is not above 0.

    Example:
        >>> NormalizeRGB([0.5] * 3, [0.25] * 3)(torch.full((2, 3, 1, 1), 255, dtype=torch.uint8)).unique().tolist()
        [2.0]
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own form

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        if len(mean) != len(std) or not all(deviation > 0 for deviation in std):
            raise ValueError(f"expected one mean and one std above 0 for each channel, got {mean} and {std}")
        self._mean, self._std = (torch.tensor(values, dtype=torch.float32).view(-1, 1, 1) for values in (mean, std))

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Normalises a picture or a batch.

        Args:
            images: (C, H, W) or (B, C, H, W); uint8, or floating point in [0, 1].

        Returns:
            A tensor of the same shape, float32.

        Raises:
            ValueError: The number of channels is not that of ``mean``.
            TypeError: The dtype is another.
        """
        if images.ndim < 3 or images.shape[-3] != len(self._mean):
            raise ValueError(f"expected (..., {len(self._mean)}, H, W), one mean a channel, got {tuple(images.shape)}")
        if self._mean.device != images.device:  # once, as a copy from the host waits for all that the GPU has to do
            self._mean, self._std = self._mean.to(images.device), self._std.to(images.device)
        mean, std = self._mean, self._std
        return (dequantize_rgb(images) - mean) / std


class NormalizeRGBd(MapTransform):
    """Dictionary form of ``NormalizeRGB``.

    Args:
        keys: The entries that hold pictures or batches, usually ``"image"``.
        mean: Of each channel, for values in [0, 1].
        std: Of each channel, above 0.
        allow_missing_keys: Whether an item may lack one of the keys.

    Example:
        >>> normalize = NormalizeRGBd("image", [0.5] * 3, [0.25] * 3)
        >>> normalize({"image": torch.zeros(3, 4, 4)})["image"].unique().tolist()
        [-2.0]
    """

    backend = NormalizeRGB.backend

    def __init__(
        self, keys: KeysCollection, mean: Sequence[float], std: Sequence[float], allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.normalize = NormalizeRGB(mean, std)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Returns a copy of ``data`` with normalised pictures."""
        found = dict(data)
        for key in self.key_iterator(found):
            found[key] = self.normalize(found[key])
        return found
