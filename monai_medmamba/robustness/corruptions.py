"""What happens to pictures between the patient and the network, each in five severities."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from monai.transforms import GaussianSmooth, RandGaussianNoise, Rotate, ScaleIntensityFixedMean, Zoom
from torch import Tensor

__all__ = ["CORRUPTIONS", "SEVERITIES", "Corruption", "corrupt"]

SEVERITIES = 5


class Corruption(NamedTuple):
    """One way in which a picture gets worse.

    Args:
        title: For figures and tables.
        unit: What the strengths are.
        strengths: Of severities 1 to 5.
        apply: Takes a picture (3, H, W) in [0, 1], a strength and a random generator to the worse picture.

    Example:
        >>> CORRUPTIONS["noise"].strengths
        (0.03, 0.06, 0.1, 0.15, 0.22)
    """

    title: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Tensor, float, np.random.Generator], Any]


def corrupt(picture: Tensor, name: str, severity: int, seed: int = 0) -> Tensor:
    """Returns a picture under a corruption.

    Where and which way it strikes depends on the seed alone, so that a higher severity is more of the same.

    Args:
        picture: (3, H, W), floating point, in [0, 1].
        name: A key of ``CORRUPTIONS``.
        severity: 0 for the picture itself, then 1 to 5.
        seed: Of chance.

    Returns:
        (3, H, W), float32, in [0, 1].

    Raises:
        ValueError: There is no such corruption or severity.

    Example:
        >>> corrupt(torch.rand(3, 40, 50), "motion", 3).shape
        torch.Size([3, 40, 50])
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"expected one of the corruptions {', '.join(CORRUPTIONS)}, got {name!r}")
    if not 0 <= severity <= SEVERITIES:
        raise ValueError(f"expected a severity from 0 to {SEVERITIES}, got {severity}")
    if severity == 0:
        return picture.float()
    chosen = CORRUPTIONS[name]
    found = chosen.apply(picture.float(), chosen.strengths[severity - 1], np.random.default_rng(seed))
    return torch.as_tensor(np.asarray(found), dtype=torch.float32).clamp(0, 1)


def _noise(picture: Tensor, strength: float, rng: np.random.Generator) -> Any:
    noise = RandGaussianNoise(prob=1, std=strength, sample_std=False)
    noise.set_random_state(seed=int(rng.integers(2**31)))
    return noise(picture)


def _blur(picture: Tensor, strength: float, _rng: np.random.Generator) -> Any:
    sigma = strength / 100 * min(picture.shape[1:])
    margin = min(int(np.ceil(4 * sigma)), min(picture.shape[1:]) - 1)  # MONAI's filter would bring in darkness
    padded = F.pad(picture[None], [margin] * 4, mode="reflect")[0]
    blurred = GaussianSmooth(sigma=sigma)(padded)
    return blurred[:, margin : margin + picture.shape[1], margin : margin + picture.shape[2]]


def _contrast(picture: Tensor, strength: float, _rng: np.random.Generator) -> Any:
    return ScaleIntensityFixedMean(factor=-strength, fixed_mean=True, channel_wise=True)(picture)


def _jpeg(picture: Tensor, strength: float, _rng: np.random.Generator) -> Tensor:
    from PIL import Image

    rows = (picture * 255).round().clamp(0, 255).to(torch.uint8).movedim(0, -1).numpy()
    buffer = io.BytesIO()
    Image.fromarray(rows).save(buffer, format="JPEG", quality=int(strength))
    return torch.from_numpy(np.array(Image.open(buffer))).movedim(-1, 0) / 255


def _highlights(picture: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Adds white ellipses with soft edges, as a lamp's reflections on wet tissue, until they cover the share."""
    height, width = picture.shape[1:]
    rows = torch.arange(height)[:, None] / height
    columns = torch.arange(width)[None] / width
    light = torch.zeros(height, width)
    while float((light > 0.5).float().mean()) * 100 < strength:
        x, y, turn = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, np.pi)
        long = rng.uniform(0.02, 0.08)
        along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
        across = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
        distance = torch.sqrt((along / long) ** 2 + (across / (long * rng.uniform(0.4, 0.9))) ** 2)
        light = torch.maximum(light, torch.sigmoid((1 - distance) * 8))
    return picture + (1 - picture) * light


def _motion(picture: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Averages along a straight line of the given length, in a random direction."""
    length = strength / 100 * min(picture.shape[1:])
    turn = rng.uniform(0, np.pi)
    reach = int(np.ceil(length / 2))
    kernel = torch.zeros(2 * reach + 1, 2 * reach + 1)
    for step in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        y, x = step * np.sin(turn) + reach, step * np.cos(turn) + reach
        top, left = int(y), int(x)
        for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            if row <= 2 * reach and column <= 2 * reach:
                kernel[row, column] += max(0.0, 1 - abs(row - y)) * max(0.0, 1 - abs(column - x))
    padded = F.pad(picture[:, None], [reach] * 4, mode="replicate")
    return F.conv2d(padded, (kernel / kernel.sum())[None, None])[:, 0]


def _rotation(picture: Tensor, strength: float, rng: np.random.Generator) -> Any:
    angle = np.deg2rad(strength) * rng.choice([-1, 1])
    return Rotate(angle, keep_size=True, mode="bilinear", padding_mode="reflection")(picture)


def _zoom(picture: Tensor, strength: float, _rng: np.random.Generator) -> Any:
    return Zoom(strength, mode="bilinear", padding_mode="reflect", keep_size=True)(picture)


CORRUPTIONS = {
    "noise": Corruption("Noise", "standard deviation", (0.03, 0.06, 0.1, 0.15, 0.22), _noise),
    "blur": Corruption("Blur", "sigma, % of the edge", (0.5, 1, 1.75, 2.75, 4), _blur),
    "motion": Corruption("Motion", "length, % of the edge", (3, 6, 10, 15, 22), _motion),
    "contrast": Corruption("Lost contrast", "share", (0.2, 0.4, 0.55, 0.7, 0.85), _contrast),
    "jpeg": Corruption("JPEG", "quality", (50, 30, 18, 10, 5), _jpeg),
    "highlights": Corruption("Specular highlights", "% of the area", (1, 3, 6, 10, 16), _highlights),
    "rotation": Corruption("Rotation", "degrees", (10, 20, 30, 60, 90), _rotation),
    "zoom_in": Corruption("Zoom in", "factor", (1.1, 1.25, 1.5, 1.75, 2.0), _zoom),
    "zoom_out": Corruption("Zoom out", "factor", (0.9, 0.8, 0.7, 0.6, 0.5), _zoom),
}
"""By name, in the order of figures and tables. Strengths that are lengths are relative to the picture's edge."""
