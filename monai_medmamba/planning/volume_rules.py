"""Rules on volumes: what is read of them and how finely, their values, and what is changed at random."""

from __future__ import annotations

import math
from typing import Any

from .decision import Choices
from .modalities import MODALITIES, UNKNOWN, Safe
from .profile import Profile, Space

EDGES = {"gpu": 96, "cpu": 64}
"""Voxels along the longest axis, at most."""
PATCHES = ((4, 1.5), (2, 3.0), (1, math.inf))
"""Edges of a patch in voxels, and how many times as thick as they are wide voxels may be for it."""
MERGING = 8
"""What three steps of merging divide an axis by."""
CT = "computed tomography"
AIR, DENSE = -1000.0, 400.0

Three = list[int]


def decide_volumes(choices: Choices, profile: Profile, space: Space) -> None:
    """Decides on channels, size, spacing, patches, values and augmentation.

    Raises:
        ValueError: A size that was asked for is too small.
    """
    choices.settle("in_channels", 1, "Grey values in their unit.")
    size = choices.settle("volume_size", *_size(space))
    spacing = choices.settle("spacing", *_spacing(space, size))
    choices.settle("patch_size", *_patches(size, spacing))
    choices.settle(
        "resize",
        "resample and cut",
        "Lengths in millimetres keep their meaning; what is small is padded, not enlarged.",
    )
    reach = choices.settle("intensity_range", *_reach(profile, space))
    choices.settle("mean", *_moment(profile, reach, profile.mean, 0.5, "the middle"))
    choices.settle("std", *_moment(profile, reach, profile.std, 0.25, "a quarter"))
    choices.settle("series", None, "Of several DICOM series in a folder one is not chosen unasked: it is refused.")
    choices.settle("missing", "refuse", "What lies in a gap of a DICOM series may be what matters.")
    square = all(size[device][0] == size[device][1] for device in size)
    choices.settle("augmentation", *_augmentation(profile, square=square))


def _size(space: Space) -> tuple[dict[str, Three], str]:
    found = {device: _edges(space, edge) for device, edge in EDGES.items()}
    reach = " x ".join(f"{length:g}" for length in space.extent)
    return found, (
        f"95 of 100 volumes lie within {reach} mm, and all of that is read: at most {EDGES['gpu']} voxels along an "
        f"axis, {EDGES['cpu']} on a CPU for time's sake; no more than the volumes have, but for what the network "
        "divides by."
    )


def _edges(space: Space, edge: int) -> Three:
    """Returns how many voxels are read along each axis."""
    finest = max(min(space.spacing), max(space.extent) / edge)
    edges = []
    for extent, own in zip(space.extent, space.spacing, strict=True):
        step = max(finest, own)
        unit = MERGING * _patch(step / finest)
        edges.append(unit * max(1, math.ceil(extent / step / unit - 1e-3)))
    return edges


def _patch(thickness: float) -> int:
    """Returns the edge of a patch along an axis whose voxels are so many times as long as the shortest."""
    return next(patch for patch, most in PATCHES if thickness < most)


def _spacing(space: Space, size: dict[str, Three]) -> tuple[dict[str, list[float]], str]:
    found = {
        device: [float(f"{extent / edge:.3g}") for extent, edge in zip(space.extent, edges, strict=True)]
        for device, edges in size.items()
    }
    own = " x ".join(f"{length:.3g}" for length in space.spacing)
    coarse = max(found["gpu"])
    lost = f" A finding of less than {3 * coarse:.2g} mm is lost: cut the volumes to what matters, or read more voxels."
    coarser = any(new > 1.2 * old for new, old in zip(found["gpu"], space.spacing, strict=True))
    return found, (
        f"So the whole is read in so many voxels; the volumes have {own} mm at the median.{lost if coarser else ''}"
    )


def _patches(size: dict[str, Three], spacing: dict[str, list[float]]) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    for device, edges in size.items():
        if min(edges) < MERGING:
            raise ValueError(f"volume_size: expected {MERGING} voxels or more along each axis, got {edges}")
        thickness = [length / min(spacing[device]) for length in spacing[device]]
        patches = [min(_patch(t), edge // MERGING) for t, edge in zip(thickness, edges, strict=True)]
        patches = [next(p for p, _ in PATCHES if p <= most) for most in patches]
        found[device] = 4 if patches == [4, 4, 4] else patches
    return found, "Patches are about as thick as they are wide, in millimetres."


def _reach(profile: Profile, space: Space) -> tuple[list[float] | None, str]:
    if space.bytes:
        return [0, 255], "Values are whole numbers from 0 to 255."
    if profile.modality == CT and _known(profile):
        low, high = max(AIR, space.low), min(DENSE, space.high)
        if low < high:
            return [math.floor(low), math.ceil(high)], (
                "Hounsfield units from air to dense soft tissue; bone and metal count as the densest. Name a narrower "
                "window where only one tissue matters, such as [-160, 240] for the abdomen or [0, 80] for the brain."
            )
    return None, (
        "The values have no unit that means the same in every volume: each is taken between its own 0.5 % and 99.5 %."
    )


def _moment(
    profile: Profile, reach: list[float] | None, known: tuple[float, ...] | None, otherwise: float, words: str
) -> tuple[list[float], str]:
    if known is not None and profile.space and profile.space.bytes and reach == [0, 255]:
        return [max(0.05, round(known[0], 3))], "Of the training volumes' voxels."
    return [otherwise], f"The values within the range are not known: {words} of it."


def _known(profile: Profile) -> bool:
    """Tells whether the modality is more than a guess by looks, which are those of one slice."""
    return profile.certainty != "unsure"


def _augmentation(profile: Profile, *, square: bool) -> tuple[dict[str, Any], str]:
    safe = MODALITIES.get(profile.modality, UNKNOWN) if _known(profile) else UNKNOWN
    known = f"{profile.modality} ({profile.certainty}). " if safe is not UNKNOWN else f"{profile.modality} volumes. "
    return augmentation(safe, square=square), known + safe.why


def augmentation(safe: Safe, *, square: bool) -> dict[str, Any]:
    """Returns the arguments of ``AugmentVolumes`` that what is safe allows.

    Args:
        safe: Of the modality. A volume is mirrored along all axes or along none.
        square: Whether axial slices are square, which quarter turns need.
    """
    return {
        "flip_prob": 0.5 if safe.flip and safe.mirror else 0.0,
        "turn_prob": 0.75 if safe.turns and square else 0.0,
        "intensity_prob": 0.5,
        "scale_range": safe.intensity,
        "shift_range": safe.intensity / 2,
        "noise_prob": 0.3,
        "noise_std": 0.03,
    }
