"""Random changes of a whole batch at once, each image with its own."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from torch.nn import functional

from monai_medmamba.transforms.augment_volumes import AugmentVolumes
from monai_medmamba.transforms.quantize_rgb import dequantize_rgb

EPSILON = 1e-7  # of a contrast change, as in MONAI


class AugmentBatch(Randomizable):
    """Turns, shifts and recolours the images of a batch, on the device where they lie.

    For each image in this order, each with its own probability: a flip upside down; a flip left to right; one to three
    quarter turns; a rotation with scaling and shift, reflected at the borders; a gamma curve between its darkest and
    brightest value; a factor for each channel, or for all. The first four are joined into one resampling, so an image
    is interpolated once at most, and one that is only flipped and turned keeps its values to rounding.

    The chances and strengths are drawn on the host from ``R``, MONAI's random state, so that they are the same on
    every device. Equal to MONAI's ``RandFlip``, ``RandRotate90``, ``RandAffine``, ``RandAdjustContrast`` and
    ``RandScaleIntensity`` one after another in distribution and, given the same strengths, in result.

    Args:
        flip_prob: Chance of a flip upside down.
        mirror_prob: Chance of a flip left to right.
        turn_prob: Chance of quarter turns; one, two and three are equally likely.
        affine_prob: Chance of a rotation with scaling and shift.
        rotate_range: Largest angle, in radians.
        scale_range: Largest relative change of height and width.
        translate_range: Largest shift along height and width, in parts of the image's side.
        contrast_prob: Chance of a gamma curve.
        gamma: Lowest and highest exponent.
        intensity_prob: Chance of factors for the channels.
        intensity_range: Largest relative change of a channel.
        tint: Whether each channel has a factor of its own; False where colours say nothing, or must be kept.

    Raises:
        ValueError: A probability is not in [0, 1], a range is negative or not one pair, or a gamma not above 0.

    Example:
        >>> augment = AugmentBatch(flip_prob=0.5, turn_prob=0.75)
        >>> _ = augment.set_random_state(seed=0)
        >>> augment(torch.rand(4, 3, 8, 8)).shape
        torch.Size([4, 3, 8, 8])
    """

    def __init__(
        self,
        flip_prob: float = 0.0,
        mirror_prob: float = 0.0,
        turn_prob: float = 0.0,
        affine_prob: float = 0.0,
        rotate_range: float = 0.0,
        scale_range: Sequence[float] = (0.0, 0.0),
        translate_range: Sequence[float] = (0.0, 0.0),
        contrast_prob: float = 0.0,
        gamma: Sequence[float] = (1.0, 1.0),
        intensity_prob: float = 0.0,
        intensity_range: float = 0.0,
        tint: bool = True,
    ) -> None:
        chances = {
            "flip_prob": flip_prob,
            "mirror_prob": mirror_prob,
            "turn_prob": turn_prob,
            "affine_prob": affine_prob,
            "contrast_prob": contrast_prob,
            "intensity_prob": intensity_prob,
        }
        ranges = {"rotate_range": rotate_range, "intensity_range": intensity_range}
        pairs = {"scale_range": scale_range, "translate_range": translate_range}
        wrong: dict[str, Any] = {name: value for name, value in chances.items() if not 0 <= value <= 1}
        wrong |= {name: value for name, value in ranges.items() if value < 0}
        wrong |= {name: value for name, value in pairs.items() if len(value) != 2 or min(value) < 0}
        if len(gamma) != 2 or min(gamma) <= 0:
            wrong["gamma"] = gamma
        if wrong:
            raise ValueError(
                f"expected probabilities in [0, 1], ranges from 0 (height and width: a pair) and two gammas above 0, "
                f"got {wrong}"
            )
        self.flip_prob, self.mirror_prob, self.turn_prob = flip_prob, mirror_prob, turn_prob
        self.affine_prob, self.rotate_range = affine_prob, rotate_range
        self.scale_range, self.translate_range = np.array(scale_range), np.array(translate_range)
        self.contrast_prob, self.gamma = contrast_prob, (min(gamma), max(gamma))
        self.intensity_prob, self.intensity_range, self.tint = intensity_prob, intensity_range, tint

    def draw(self, images: torch.Tensor) -> np.ndarray:
        """Draws what happens to each image of a batch.

        Args:
            images: (B, C, H, W); its shape alone counts.

        Returns:
            Array (B, 7 + C), float32: the six numbers of the map from a place in the result to its place in the
            image, both as (x, y) from -1 to 1; the exponent; the factors.
        """
        count, channels = images.shape[:2]
        uniform = self.R.uniform
        flip = uniform(size=count) < self.flip_prob
        mirror = uniform(size=count) < self.mirror_prob
        turns = np.where(uniform(size=count) < self.turn_prob, self.R.randint(1, 4, count), 0)
        moved = (uniform(size=count) < self.affine_prob)[:, None]
        angle = (moved * uniform(-1, 1, (count, 1)) * self.rotate_range)[:, 0]
        scale = 1 + moved * uniform(-1, 1, (count, 2)) * self.scale_range
        shift = 2 * moved * uniform(-1, 1, (count, 2)) * self.translate_range
        gamma = np.where(uniform(size=count) < self.contrast_prob, uniform(*self.gamma, count), 1)
        lit = (uniform(size=count) < self.intensity_prob)[:, None]
        factors = 1 + lit * uniform(-1, 1, (count, channels if self.tint else 1)) * self.intensity_range
        factors = np.broadcast_to(factors, (count, channels))
        places = _places(flip, mirror, turns, angle, scale, shift)
        return np.concatenate([places.reshape(count, 6), gamma[:, None], factors], axis=1).astype(np.float32)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Changes a batch.

        Args:
            images: (B, C, H, W) with H = W; uint8, or floating point in [0, 1].

        Returns:
            Tensor of the same shape, float32, around [0, 1].

        Raises:
            ValueError: It is no batch of square images.
            TypeError: The dtype is neither uint8 nor floating point.
        """
        if images.ndim != 4 or images.shape[2] != images.shape[3]:
            raise ValueError(f"expected a batch of square images, (B, C, H, H), got {tuple(images.shape)}: resize them")
        drawn = torch.from_numpy(self.draw(images))
        if images.is_cuda:
            drawn = drawn.pin_memory().to(images.device, non_blocking=True)  # waits for nothing
        with torch.no_grad():
            moved = _resample(dequantize_rgb(images), drawn[:, :6].reshape(-1, 2, 3))
            return _recolour(moved, drawn[:, 6].view(-1, 1, 1, 1), drawn[:, 7:, None, None])


class AugmentBatchd(MapTransform, Randomizable):
    """Dictionary form of ``AugmentBatch`` and ``AugmentVolumes``, to stand where a bundle has its random transforms.

    Args:
        keys: The entries that hold batches, usually ``"image"``; each is changed in its own way.
        augment: What happens to them.
        allow_missing_keys: Whether a batch may lack one of the keys.

    Example:
        >>> augment = AugmentBatchd("image", AugmentBatch(flip_prob=1.0))
        >>> rows = torch.tensor([0.0, 1.0]).view(1, 1, 2, 1).expand(1, 1, 2, 2)
        >>> augment({"image": rows})["image"][0, 0, :, 0].tolist()
        [1.0, 0.0]
    """

    def __init__(
        self, keys: KeysCollection, augment: AugmentBatch | AugmentVolumes, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.augment = augment

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> "AugmentBatchd":
        """Seeds what it draws from.

        Args:
            seed: Of a new random state.
            state: One to take over instead.

        Returns:
            Itself, as MONAI has it.
        """
        super().set_random_state(seed, state)
        self.augment.set_random_state(seed, state)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Returns a copy of ``data`` with changed batches."""
        found = dict(data)
        for key in self.key_iterator(found):
            found[key] = self.augment(found[key])
        return found


def _places(
    flip: np.ndarray, mirror: np.ndarray, turns: np.ndarray, angle: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Returns (B, 2, 3): where in an image each place of the result comes from."""
    count = len(flip)
    identity = np.tile(np.eye(3), (count, 1, 1))
    flipped, turned, rotated, shifted, scaled = (identity.copy() for _ in range(5))
    # Coordinates are (y, x), as MONAI's; the last step here swaps them for torch.
    flipped[:, 0, 0] = np.where(flip, -1, 1)
    flipped[:, 1, 1] = np.where(mirror, -1, 1)
    for matrix, (cosine, sine) in (
        (turned, (np.array([1, 0, -1, 0])[turns], np.array([0, 1, 0, -1])[turns])),
        (rotated, (np.cos(angle), -np.sin(angle))),
    ):
        matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cosine, sine, -sine, cosine
    shifted[:, :2, 2] = shift
    scaled[:, 0, 0], scaled[:, 1, 1] = scale.T
    joined = flipped @ turned @ rotated @ shifted @ scaled
    return joined[:, [1, 0]][:, :, [1, 0, 2]]


def _resample(images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    side = images.shape[-1]
    along = torch.linspace(1 / side - 1, 1 - 1 / side, side, device=images.device)
    # Spelled out: a matrix product may be set to a lower precision, which would move pixels.
    x, y, one = (places[:, None, None, :, i] for i in range(3))
    grid = x * along.view(1, 1, side, 1) + (y * along.view(1, side, 1, 1) + one)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _recolour(images: torch.Tensor, gamma: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    low = images.amin((1, 2, 3), keepdim=True)
    span = images.amax((1, 2, 3), keepdim=True) - low
    curved = ((images - low) / (span + EPSILON)).pow_(gamma).mul_(span).add_(low)
    return torch.where(gamma == 1, images, curved).mul_(factors)
