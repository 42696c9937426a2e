"""What is put into the chest: nodules that look benign or malignant by their borders and their inside."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from monai_medmamba.data.phantoms.chest import LUNG, Chest, random_direction
from monai_medmamba.data.phantoms.fields import Field, bump, noise, step


def _benign(chest: Chest) -> None:
    """A round, smooth nodule; often with calcium in its middle, in layers, or throughout."""
    rng = chest.rng
    distance, radius, _ = _shape(chest, lobes=rng.uniform(0.0, 0.05), spikes=0)
    reach = distance / radius
    chest.paint(1 - step(reach, 1 - chest.edge / radius / 2, 1 + chest.edge / radius / 2), rng.uniform(20, 90))
    kind = int(rng.integers(5))
    calcium = {0: 1 - step(reach, 0.25, 0.5), 1: bump(reach - 0.7, 0.12), 2: (1 - step(reach, 0.8, 0.95)) * 0.8}
    if kind in calcium:
        chest.paint(calcium[kind], rng.uniform(250, 600))


def _malignant(chest: Chest) -> None:
    """A lobed nodule with spikes into the lung; sometimes partly of ground glass, mostly uneven inside."""
    rng = chest.rng
    distance, radius, middle = _shape(chest, lobes=rng.uniform(0.08, 0.16), spikes=int(rng.integers(8, 16)))
    reach = distance / radius
    if rng.uniform() < 0.35:
        halo = 1 - step(reach, 1.1, 1.5)
        chest.paint(halo, LUNG + rng.uniform(200, 400) + 40 * noise(rng, chest.size, 0.1, 3))
    inside = rng.uniform(10, 60) + 25 * noise(rng, chest.size, 0.08, 3)
    chest.paint(1 - step(reach, 1 - chest.edge / radius / 2, 1 + chest.edge / radius / 2), inside)
    if rng.uniform() < 0.5:
        chest.vessel(middle)


NODULES: Mapping[str, Callable[[Chest], None]] = MappingProxyType({"benign": _benign, "malignant": _malignant})
"""How each class is drawn. Position, size and density overlap; the border and the inside tell them apart."""


def _shape(chest: Chest, lobes: float, spikes: int) -> tuple[Field, Field, np.ndarray]:
    """Returns the distance of each voxel from a nodule's middle, its radius in that direction, and the middle."""
    rng = chest.rng
    middle = rng.uniform(-0.18, 0.18, 3)
    distance, direction = chest.from_point(middle)
    squeeze = 1 + 0.15 * np.tensordot(random_direction(rng), direction, 1) ** 2
    wave = sum(
        np.cos(rng.uniform(2, 5) * np.tensordot(random_direction(rng), direction, 1) + rng.uniform(0, 6.3))
        for _ in range(6)
    )
    radius = rng.uniform(0.2, 0.34) * squeeze * (1 + lobes * wave)
    thorn = np.zeros_like(distance)
    for _ in range(spikes):
        angle = np.arccos(np.clip(np.tensordot(random_direction(rng), direction, 1), -1, 1))
        thorn = np.maximum(thorn, rng.uniform(0.4, 1.0) * bump(angle, rng.uniform(0.14, 0.22)))
    return distance, radius * (1 + thorn), middle
