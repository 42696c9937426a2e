"""Rules on the pictures: channels, size, normalisation, and what is changed at random."""

from __future__ import annotations

from typing import Any

from .decision import Choices
from .modalities import MODALITIES, UNKNOWN, Safe
from .profile import Profile

SIZES = (64, 96, 128, 160, 224)
"""Multiples of 32, so that no stage of the network has to crop."""
CPU_SIZE = 64


def decide_pictures(choices: Choices, profile: Profile) -> None:
    """Decides on channels, size, normalisation and augmentation."""
    colour = "The images have colours." if profile.colour else "The images are grey: their values stand three times."
    choices.settle("in_channels", 3, f"{colour} Weights of one data set then serve another, published ones too.")
    choices.settle("image_size", *_size(profile))
    squeezed = "" if 0.8 <= profile.aspect <= 1.25 else " That squeezes them noticeably."
    choices.settle(
        "resize", "squeeze", f"Width over height is {profile.aspect:.3g} at the median; nothing is cut off.{squeezed}"
    )
    choices.settle("mean", *_mean(profile))
    choices.settle("std", *_std(profile))
    choices.settle("augmentation", *_augmentation(profile))


def _size(profile: Profile) -> tuple[dict[str, int], str]:
    side = profile.short_side
    gpu = next((size for size in SIZES if size >= side), SIZES[-1])
    if side >= SIZES[-1]:
        why = (
            f"The images have {side:g} pixels and more on their shorter side: 224 keeps what networks are compared at."
        )
    else:
        why = f"The images have {side:g} pixels on their shorter side: more than {gpu} would only enlarge them."
    return {"gpu": gpu, "cpu": min(gpu, CPU_SIZE)}, f"{why} On a CPU {CPU_SIZE} at most, for time's sake."


def _mean(profile: Profile) -> tuple[list[float], str]:
    if profile.mean is None:
        return [0.5] * 3, "The values of the images are not known: the middle of the scale."
    return _three(profile.mean), "The mean of the training images, channel by channel."


def _std(profile: Profile) -> tuple[list[float], str]:
    if profile.std is None:
        return [0.25] * 3, "The values of the images are not known: a quarter of the scale."
    return [max(0.05, x) for x in _three(profile.std)], "The standard deviation of the training images' pixels."


def _three(values: tuple[float, ...]) -> list[float]:
    return [round(x, 3) for x in (values * 3 if len(values) == 1 else values)]


def _augmentation(profile: Profile) -> tuple[dict[str, Any], str]:
    safe = MODALITIES.get(profile.modality, UNKNOWN)
    known = f"{profile.modality} ({profile.certainty}). " if safe is not UNKNOWN else f"{profile.modality} images. "
    return augmentation(safe, colour=profile.colour), known + safe.why


def augmentation(safe: Safe, *, colour: bool) -> dict[str, Any]:
    """Returns the arguments of ``AugmentBatch`` that what is safe allows."""
    return {
        "flip_prob": 0.5 if safe.flip else 0.0,
        "mirror_prob": 0.5 if safe.mirror else 0.0,
        "turn_prob": 0.75 if safe.turns else 0.0,
        "affine_prob": 0.4,
        "rotate_range": safe.rotate,
        "scale_range": [0.1, 0.1],
        "translate_range": [0.06, 0.06],
        "contrast_prob": 0.3,
        "gamma": [0.7, 1.4],
        "intensity_prob": 0.3,
        "intensity_range": safe.intensity,
        "tint": safe.tint and colour,
    }
