"""One byte a channel: how a picture waits in memory between decoding and the network."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

HIGHEST = 255


def dequantize_rgb(images: torch.Tensor) -> torch.Tensor:
    """Returns float32 in [0, 1] from bytes; floating point is taken to be in that range already.

    Args:
        images: Of any shape; uint8, or floating point.

    Returns:
        A tensor of the same shape, float32.

    Raises:
        TypeError: The dtype is another.

    Example:
        >>> dequantize_rgb(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist()
        [0.0, 0.20000000298023224, 1.0]
    """
    if images.dtype == torch.uint8:
        return images.float() / HIGHEST
    if not images.is_floating_point():
        raise TypeError(f"expected uint8, or floating point in [0, 1], got {images.dtype}: use QuantizeRGB before")
    return images.float()


class QuantizeRGB(Transform):
    """Rounds a picture in [0, 1] to 256 levels, so that a cache holds four times as many.

    Values outside [0, 1] are clipped. ``NormalizeRGB`` and ``AugmentBatch`` read the bytes again; what they compute
    from one image or from many, cached or not, is then the same.

    Example:
        >>> QuantizeRGB()(torch.tensor([0.0, 0.5, 1.0])).tolist()
        [0, 128, 255]
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own form

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Returns the picture as uint8, a MetaTensor with its metadata if it came as one."""
        return (image * HIGHEST).round().clamp(0, HIGHEST).to(torch.uint8)


class QuantizeRGBd(MapTransform):
    """Dictionary form of ``QuantizeRGB``.

    Args:
        keys: The entries that hold pictures, usually ``"image"``.
        allow_missing_keys: Whether an item may lack one of them.

    Example:
        >>> QuantizeRGBd(keys="image")({"image": torch.ones(2), "label": 1})["image"].tolist()
        [255, 255]
    """

    backend = QuantizeRGB.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.quantize = QuantizeRGB()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Returns a copy of ``data`` with bytes in place of floats."""
        found = dict(data)
        for key in self.key_iterator(found):
            found[key] = self.quantize(found[key])
        return found
