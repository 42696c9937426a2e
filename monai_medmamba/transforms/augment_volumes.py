"""Random changes of a whole batch of volumes at once, each volume with its own."""

import torch
from monai.transforms import Randomizable

AXES = (1, 2, 3)


class AugmentVolumes(Randomizable):
    """Mirrors, turns and brightens the volumes of a batch, on the device where they lie.

    For each volume in this order, each with its own probability: a mirroring along each axis; one to three quarter
    turns about the third axis; a factor and a shift of all values; noise. Nothing is interpolated. Chances and
    strengths are drawn from ``R``, MONAI's random state, so that they are the same on every device.

    Args:
        flip_prob: Chance of a mirroring, for each axis.
        turn_prob: Chance of quarter turns; one, two and three are equally likely.
        intensity_prob: Chance of a factor with a shift.
        scale_range: Largest relative change of the values.
        shift_range: Largest shift, in the values' unit.
        noise_prob: Chance of noise.
        noise_std: Largest deviation of the noise, in the values' unit.

    Raises:
        ValueError: A probability is not in [0, 1], or a range is negative.

    Example:
        >>> augment = AugmentVolumes(flip_prob=0.5, turn_prob=0.75)
        >>> _ = augment.set_random_state(seed=0)
        >>> augment(torch.rand(2, 1, 8, 8, 4)).shape
        torch.Size([2, 1, 8, 8, 4])
    """

    def __init__(
        self,
        flip_prob: float = 0.0,
        turn_prob: float = 0.0,
        intensity_prob: float = 0.0,
        scale_range: float = 0.0,
        shift_range: float = 0.0,
        noise_prob: float = 0.0,
        noise_std: float = 0.0,
    ) -> None:
        chances = {"flip_prob": flip_prob, "turn_prob": turn_prob, "intensity_prob": intensity_prob}
        chances["noise_prob"] = noise_prob
        ranges = {"scale_range": scale_range, "shift_range": shift_range, "noise_std": noise_std}
        wrong = {name: value for name, value in chances.items() if not 0 <= value <= 1}
        wrong |= {name: value for name, value in ranges.items() if not value >= 0}
        if wrong:
            raise ValueError(f"expected probabilities in [0, 1] and ranges from 0, got {wrong}")
        self.flip_prob, self.turn_prob, self.intensity_prob = flip_prob, turn_prob, intensity_prob
        self.scale_range, self.shift_range = scale_range, shift_range
        self.noise_prob, self.noise_std = noise_prob, noise_std

    def __call__(self, volumes: torch.Tensor) -> torch.Tensor:
        """Changes a batch.

        Args:
            volumes: (B, C, X, Y, Z), floating point; X = Y where turns have a chance.

        Returns:
            Tensor of the same shape and dtype.

        Raises:
            ValueError: It is no batch of volumes, or a quarter turn would change its shape.
        """
        if volumes.ndim != 5:
            raise ValueError(f"expected a batch of volumes, (B, C, X, Y, Z), got {tuple(volumes.shape)}")
        if self.turn_prob and volumes.shape[2] != volumes.shape[3]:
            found = tuple(volumes.shape)
            raise ValueError(f"expected X = Y, for quarter turns, got {found}: resize them, or set turn_prob to 0")
        return torch.stack([self._change(volume) for volume in volumes])

    def _change(self, volume: torch.Tensor) -> torch.Tensor:
        """Changes one volume; every number is drawn, whether it is used or not, so that the order stays."""
        uniform = self.R.uniform
        mirrored = [axis for axis in AXES if uniform() < self.flip_prob]
        turns = self.R.randint(1, 4) * (uniform() < self.turn_prob)
        lit, scale, shift = uniform() < self.intensity_prob, uniform(-1, 1), uniform(-1, 1)
        noisy, deviation, seed = uniform() < self.noise_prob, uniform(), self.R.randint(2**31)
        volume = torch.rot90(volume.flip(mirrored), turns, dims=AXES[:2])
        if lit:
            volume = volume * (1 + scale * self.scale_range) + shift * self.shift_range
        if noisy:
            grain = torch.randn(volume.shape, generator=torch.Generator().manual_seed(seed))
            volume = volume + (deviation * self.noise_std * grain).to(volume)
        return volume
