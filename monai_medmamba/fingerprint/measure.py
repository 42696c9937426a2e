"""Measures one image: what the fingerprint needs to know of it, small enough to keep for every image."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from .decoded import Decoded
from .field_of_view import field_of_view
from .likeness import perceptual_hash, preview, tiny_copy
from .read_dicom import SECRET
from .read_series import FORMAT as SERIES

QUANTILES = 33
"""Values of each image between which an equal share of its pixels lies: 0, 1/32 ... 1."""
MOST_VALUES = 2**20
"""Of a larger image that is not of 8 bits, every second, third ... value is measured."""
MASK_VALUES = 3


@dataclass(frozen=True)
class Measurement:
    """What is kept of an image; every part goes through JSON unchanged.

    Args:
        format, mode, bits, frames, flags, tags: As ``Decoded`` has them; identifying tags as keyed digests.
        width, height, depth: Size in pixels or voxels.
        channels: 1 or 3.
        colour: Whether the three channels differ anywhere.
        unit: Whether values were divided by their full scale.
        low, high: Lowest and highest value.
        share: Share of the pixels that lies in the field of view.
        mean, std: Of all pixels, one value a channel.
        view_mean, view_std: The same inside the field of view.
        quantiles: 33 values that part the grey values inside the field of view into equal shares.
        tails: The grey values inside the field of view below which 0.5 % and 99.5 % lie.
        clipped: Share of all pixels at the highest value of their format; 0 where there is none.
        digest: Digest of the values, the same for the same picture in another lossless file.
        hash: Perceptual hash, 16 hexadecimal digits.
        tiny: The tiny copy, 512 hexadecimal digits.
    """

    format: str
    mode: str
    bits: int
    frames: int
    flags: list[str]
    tags: dict[str, Any]
    width: int
    height: int
    depth: int
    channels: int
    colour: bool
    unit: bool
    low: float
    high: float
    share: float
    mean: list[float]
    std: list[float]
    view_mean: list[float]
    view_std: list[float]
    quantiles: list[float]
    tails: list[float]
    clipped: float
    digest: str
    hash: str
    tiny: str

    def to_json(self) -> dict[str, Any]:
        """Returns the parts by name."""
        return asdict(self)


def measure(image: Decoded, key: bytes) -> tuple[Measurement, bytes]:
    """Measures an image.

    Args:
        image: What a reader returned.
        key: Makes digests of identifying tags that nobody without it can look up.

    Returns:
        The measurement, and a small JPEG of the image; for a volume, of its middle slice.
    """
    values = image.values
    coloured = values.ndim == 3 + image.volume
    grey = _grey(values) if coloured else values
    space = grey.shape
    shown = values[len(values) // 2] if image.volume else values
    picture = _to_bytes(shown, image)
    soft = Image.fromarray(_grey(picture) if coloured else picture)
    digest = hashlib.sha256(f"{values.shape} {image.format if image.frames > 1 else ''}".encode())
    digest.update(_canonical(values, image.full_scale))

    numbers = _of_bytes(values, grey) if values.dtype == np.uint8 and not image.volume else _of_any(values, grey)
    scale = image.full_scale or 1.0
    flags = list(image.flags)
    if image.full_scale is not None and not coloured and numbers["distinct"] in range(2, MASK_VALUES + 1):
        flags.append(f"mask: {numbers['distinct']} values")
    tags = {name: _secret(value, key) if name in SECRET else value for name, value in image.tags.items()}
    measured = Measurement(
        format=image.format,
        mode=image.mode,
        bits=image.bits,
        frames=image.frames,
        flags=flags,
        tags=tags,
        width=space[-1],
        height=space[-2],
        depth=space[0] if image.volume else 1,
        channels=values.shape[-1] if coloured else 1,
        colour=coloured and _differ(values),
        unit=image.full_scale is not None,
        low=float(values.min()) / scale,
        high=float(values.max()) / scale,
        share=_short(numbers["share"]),
        mean=[_short(x / scale) for x in numbers["mean"]],
        std=[_short(x / scale) for x in numbers["std"]],
        view_mean=[_short(x / scale) for x in numbers["view_mean"]],
        view_std=[_short(x / scale) for x in numbers["view_std"]],
        quantiles=[_short(x / scale) for x in numbers["quantiles"]],
        tails=[_short(x / scale) for x in numbers["tails"]],
        clipped=_short(np.count_nonzero(grey >= scale) / grey.size) if image.full_scale is not None else 0.0,
        digest=digest.hexdigest()[:32],
        hash=f"{perceptual_hash(soft):016x}",
        tiny=tiny_copy(soft).hex(),
    )
    return measured, preview(picture)


def _of_bytes(values: np.ndarray, grey: np.ndarray) -> dict[str, Any]:
    """Counts values, which is exact and fast."""
    inside = field_of_view(grey)
    mask = Image.fromarray(inside)
    picture = Image.fromarray(values)
    whole = np.array(picture.histogram(), dtype=np.float64).reshape(-1, 256)
    view = np.array(picture.histogram(mask), dtype=np.float64).reshape(-1, 256)
    shades = np.bincount(grey[inside], minlength=256).cumsum()
    targets = np.linspace(0, 1, QUANTILES)
    mean, std = _moments(whole)
    view_mean, view_std = _moments(view)
    return {
        "mean": mean,
        "std": std,
        "view_mean": view_mean,
        "view_std": view_std,
        "share": inside.mean(),
        "quantiles": np.searchsorted(shades, np.maximum(targets * shades[-1], 1)),
        "tails": np.searchsorted(shades, np.maximum(np.array([0.005, 0.995]) * shades[-1], 1)),
        "distinct": int(np.count_nonzero(whole[0])),
    }


def _of_any(values: np.ndarray, grey: np.ndarray) -> dict[str, Any]:
    """Computes from floating-point copies; of a very large image from a regular part of its values."""
    step = 1
    while grey.size / step**grey.ndim > MOST_VALUES:
        step += 1
    part = (slice(None, None, step),) * grey.ndim
    some, grey = values[part].astype(np.float64), grey[part].astype(np.float64)
    inside = field_of_view(grey)
    some = some.reshape(-1, values.shape[-1] if values.ndim > grey.ndim else 1)
    view, shades = some[inside.reshape(-1)], grey[inside]
    quantiles = np.quantile(shades, [*np.linspace(0, 1, QUANTILES), 0.005, 0.995])
    return {
        "mean": some.mean(axis=0),
        "std": some.std(axis=0),
        "view_mean": view.mean(axis=0),
        "view_std": view.std(axis=0),
        "share": inside.mean(),
        "quantiles": quantiles[:QUANTILES],
        "tails": quantiles[QUANTILES:],
        "distinct": len(np.unique(grey)),
    }


def _moments(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation of each row of counts of the values 0 to 255."""
    numbers, total = np.arange(256), counts.sum(axis=1)
    mean = counts @ numbers / total
    return mean, np.sqrt(np.maximum(counts @ numbers**2 / total - mean**2, 0))


def _grey(values: np.ndarray) -> np.ndarray:
    """Returns luminance by Rec. 601, of the type of the values."""
    if values.dtype == np.uint8 and values.ndim == 3:
        return np.asarray(Image.fromarray(values).convert("L"))
    return (values[..., :3] @ np.array([0.299, 0.587, 0.114])).astype(values.dtype)


def _to_bytes(picture: np.ndarray, image: Decoded) -> np.ndarray:
    """Returns the picture in 8 bits: by its full scale, else from the 0.5 % to the 99.5 % of its values."""
    if picture.dtype == np.uint8 and image.full_scale in (255.0, None):
        return picture
    numbers = picture.astype(np.float64)
    ends = (0.0, image.full_scale) if image.full_scale else np.quantile(numbers, [0.005, 0.995])
    if image.format in ("NIfTI", SERIES):
        numbers = numbers[::-1]  # rows run from back to front
    return ((numbers - ends[0]) / max(float(ends[1] - ends[0]), 1e-12) * 255).clip(0, 255).astype(np.uint8)


def _canonical(values: np.ndarray, full_scale: float | None) -> bytes:
    """Returns bytes that are the same for the same picture, however its file stores it."""
    whole = values.dtype.kind in "bui" or (full_scale is None and bool(np.array_equal(values, np.rint(values))))
    kind = np.uint8 if values.dtype == np.uint8 else np.int64 if whole and abs(values).max() < 2**53 else np.float32
    return np.ascontiguousarray(values, dtype=kind).tobytes()


def _differ(values: np.ndarray) -> bool:
    """Tells whether the channels differ, looking at a few pixels first."""
    few = values[..., ::8, ::8, :]
    return any(not np.array_equal(part[..., 0], part[..., channel]) for part in (few, values) for channel in (1, 2))


def _secret(value: str | None, key: bytes) -> str | None:
    return None if value is None else hashlib.blake2b(value.encode(), key=key, digest_size=12).hexdigest()


def _short(value: Any) -> float:
    """Returns a number of seven digits, which keeps the cache small."""
    return float(f"{float(value):.7g}")
