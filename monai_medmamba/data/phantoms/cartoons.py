"""Cartoons of any number of classes up to twenty: a shape with a texture on a wall, and no colour of its own."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from monai_medmamba.data.phantoms.fields import Field, bump, noise, step
from monai_medmamba.data.phantoms.scene import Scene


class Patch(NamedTuple):
    """Where a finding is drawn: the scene, each point's place along and aside of the finding's axis, and its radius."""

    scene: Scene
    along: Field
    aside: Field
    radius: float


def _disc(patch: Patch) -> Field:
    return np.hypot(patch.along, patch.aside) / patch.radius


def _bar(patch: Patch) -> Field:
    return ((patch.along / (1.5 * patch.radius)) ** 4 + (patch.aside / (0.42 * patch.radius)) ** 4) ** 0.25


def _star(patch: Patch) -> Field:
    angle = np.arctan2(patch.aside, patch.along)
    return np.hypot(patch.along, patch.aside) / (patch.radius * (1 + 0.38 * np.cos(5 * angle)))


def _ring(patch: Patch) -> Field:
    return abs(np.hypot(patch.along, patch.aside) - patch.radius) / (0.3 * patch.radius)


def _pair(patch: Patch) -> Field:
    return np.hypot(abs(patch.along) - 0.85 * patch.radius, patch.aside) / (0.6 * patch.radius)


def _smooth(patch: Patch) -> Field:
    return np.zeros_like(patch.along)


def _stripes(patch: Patch) -> Field:
    return step(np.cos(24 * patch.along + 0.5 * noise(patch.scene.rng, patch.scene.size, 0.3)), 0.0, 0.4)


def _spots(patch: Patch) -> Field:
    return step(np.cos(20 * patch.along) * np.cos(20 * patch.aside), 0.25, 0.45)


def _veins(patch: Patch) -> Field:
    return bump(noise(patch.scene.rng, patch.scene.size, 0.07), 0.25)


Draw = Callable[[Patch], Field]
SHAPES: tuple[Draw, ...] = (_disc, _bar, _star, _ring, _pair)
TEXTURES: tuple[Draw, ...] = (_smooth, _stripes, _spots, _veins)
MOST = len(SHAPES) * len(TEXTURES)
"""Five shapes and four textures share no divisor, so stepping through both at once meets each pair once."""


def draw_cartoon(class_index: int, number: int, *, size: int = 128, grey: bool = False, seed: int = 0) -> np.ndarray:
    """Draws one picture.

    Args:
        class_index: The class, from 0 to 19: it decides shape and texture.
        number: Which picture of the class, from 0.
        size: Side in pixels.
        grey: Whether the picture has brightness alone.
        seed: Seed of the set.

    Returns:
        Array (size, size, 3), or (size, size) where grey, uint8; the same for the same arguments.

    Example:
        >>> draw_cartoon(3, 0, size=32, grey=True).shape
        (32, 32)
    """
    scene = Scene(np.random.default_rng([seed, class_index, number, MOST]), size)
    rng = scene.rng
    scene.vessels(0.3)
    turn, radius = rng.uniform(0, np.pi), rng.uniform(0.32, 0.5)
    dx, dy = scene.x - rng.uniform(-0.25, 0.25), scene.y - rng.uniform(-0.25, 0.25)
    along, aside = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
    patch = Patch(scene, along, aside, radius)
    distance = SHAPES[class_index % len(SHAPES)](patch)  # 1 at the edge
    inside = 1 - step(distance, 0.92, 1.06)
    scene.height += 0.3 * radius * np.clip(1 - distance**2, 0, 1)
    scene.light *= 1 - 0.3 * bump(distance - 1.15, 0.15)
    scene.tint(0.6 * inside, rng.uniform(0.35, 0.95, 3))
    marks = inside * TEXTURES[class_index % len(TEXTURES)](patch)
    scene.tint(0.75 * marks, rng.uniform(0.02, 0.25, 3))
    picture = scene.render()
    if not grey:
        return picture
    return np.round(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)  # the luma of ITU-R BT.601
