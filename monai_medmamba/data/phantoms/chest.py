"""The stage of a volume phantom: a corner of the chest in Hounsfield units, in which a nodule is put."""

import numpy as np

from monai_medmamba.data.phantoms.fields import Field, blur, bump, noise, step

LUNG, FAT, MUSCLE, BLOOD, BONE = -860.0, -90.0, 45.0, 40.0, 500.0  # Hounsfield units


class Chest:
    """A cube of lung with vessels, the chest wall and its ribs on one side.

    The axes ``x``, ``y`` and ``z`` run from about -1 to 1, patient's right, front and head; the wall lies on a random
    side. Shapes are added before the volume is rendered.

    Args:
        rng: Source of randomness; equal states give equal volumes.
        size: N, side of the volume in voxels.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng, self.size = rng, size
        axis = (np.arange(size) + 0.5) / size * 2 - 1
        grid = np.meshgrid(axis, axis, axis, indexing="ij")
        self.x, self.y, self.z = (along + 0.03 * noise(rng, size, 0.4, 3) for along in grid)
        self.edge = 3 / size  # soft borders of about a voxel and a half
        self.values = LUNG + rng.uniform(-40, 40) + 25 * noise(rng, size, 0.12, 3)
        self._wall()
        for _ in range(rng.integers(4, 9)):
            self.vessel()

    def paint(self, share: Field, value: Field | float) -> None:
        """Mixes in a tissue: ``share`` (N, N, N) of each voxel, clipped to [0, 1]."""
        share = np.clip(share, 0, 1)
        self.values = self.values * (1 - share) + value * share

    def from_point(self, point: np.ndarray) -> tuple[Field, np.ndarray]:
        """Returns the distance (N, N, N) of each voxel from a point, and its direction from there, (3, N, N, N)."""
        offset = np.stack([self.x, self.y, self.z]) - point[:, None, None, None]
        distance = np.linalg.norm(offset, axis=0)
        return distance, offset / np.maximum(distance, 1e-6)

    def vessel(self, end: np.ndarray | None = None) -> None:
        """Draws a branch that bends a little, thicker at one side; through a point if one is given."""
        rng = self.rng
        along, bend = random_direction(rng), random_direction(rng)
        middle = rng.uniform(-0.8, 0.8, 3) if end is None else end
        offset = np.stack([self.x, self.y, self.z]) - middle[:, None, None, None]
        place = np.tensordot(along, offset, 1)
        aside = offset - along[:, None, None, None] * place - 0.15 * bend[:, None, None, None] * place**2
        width = rng.uniform(0.03, 0.06) * (1 + 0.4 * np.clip(place, -1, 1))
        inside = 1 - step(np.linalg.norm(aside, axis=0), width - self.edge / 2, width + self.edge / 2)
        self.paint(inside if end is None else inside * (place > 0), BLOOD)

    def render(self) -> np.ndarray:
        """Takes the volume.

        Returns:
            Array (N, N, N), int16, Hounsfield units from -1024.
        """
        rng = self.rng
        seen = blur(self.values, 1.2 / self.size)
        grain = noise(rng, self.size, 1.0 / self.size, 3)
        return np.rint(np.clip(seen + rng.uniform(10, 30) * grain, -1024, 3071)).astype(np.int16)

    def _wall(self) -> None:
        """Puts the chest wall on one side: muscle, ribs in it, fat behind."""
        rng = self.rng
        turn = rng.uniform(0, 2 * np.pi)
        out = np.cos(turn) * self.x + np.sin(turn) * self.y
        round_about = np.cos(turn) * self.y - np.sin(turn) * self.x
        depth = out + 0.15 * round_about**2 - rng.uniform(0.62, 0.85)
        self.paint(step(depth, -self.edge / 2, self.edge / 2), MUSCLE)
        self.paint(step(depth, 0.28, 0.34), FAT)
        slant, first = rng.uniform(-0.4, 0.4), rng.uniform(0, 1)
        for rib in range(-2, 3):
            height = self.z - slant * round_about - 0.8 * (rib + first)
            distance = np.hypot((depth - 0.14) / 0.09, height / 0.14)
            self.paint(1 - step(distance, 0.8, 1.2), BONE + 250 * bump(distance - 1, 0.3))


def random_direction(rng: np.random.Generator) -> np.ndarray:
    """Returns a random direction, (3,)."""
    vector = rng.standard_normal(3)
    return vector / np.linalg.norm(vector)
