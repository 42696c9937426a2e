"""The stage of a phantom: a wall with height and colour, the light of the endoscope, and its lens."""

import numpy as np

from monai_medmamba.data.phantoms.fields import Field, blur, bump, noise, step


class Scene:
    """A patch of mucosa seen through an endoscope, to which findings are added before it is rendered.

    The axes ``x`` and ``y`` run from about -1 to 1, turned at random and warped a little, so shapes written as
    circles come out organic.

    Args:
        rng: Source of randomness; equal states give equal pictures.
        size: N, side of the picture in pixels.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng, self.size = rng, size
        axis = (np.arange(size) + 0.5) / size * 2 - 1
        self.u, self.v = np.meshgrid(axis, axis)  # as the lens sees them: right, down
        turn, flip = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
        zoom = rng.uniform(0.88, 1.12)
        self.x = (np.cos(turn) * self.u - np.sin(turn) * self.v) * flip * zoom + 0.05 * noise(rng, size, 0.25)
        self.y = (np.sin(turn) * self.u + np.cos(turn) * self.v) * zoom + 0.05 * noise(rng, size, 0.25)
        self.height = np.zeros((size, size))  # towards the viewer, in half widths
        self.light = np.ones((size, size))  # what reaches the wall
        self.wetness = 1.0
        base = np.array([rng.uniform(0.72, 0.86), rng.uniform(0.36, 0.50), rng.uniform(0.28, 0.42)])
        self.colour = np.broadcast_to(base, (size, size, 3)).copy()
        self.tint(0.5 + 0.25 * noise(rng, size, 0.35), base * rng.uniform([0.92, 0.72, 0.70], [1.05, 0.95, 0.95]))

    def tint(self, share: Field, colour: np.ndarray | tuple[float, float, float]) -> None:
        """Paints ``colour`` over the wall, with ``share`` (N, N) in [0, 1] of opacity."""
        share = np.clip(share, 0, 1)[..., None]
        self.colour = self.colour * (1 - share) + np.asarray(colour) * share

    def polar(self, x: float, y: float) -> tuple[Field, Field]:
        """Returns distance and angle about a point of the wall."""
        dx, dy = self.x - x, self.y - y
        return np.hypot(dx, dy), np.arctan2(dy, dx)

    def vessels(self, strength: float) -> None:
        """Draws the fine branching vessels that healthy mucosa shows."""
        for length, weight in ((0.16, 1.0), (0.07, 0.6)):
            lines = bump(noise(self.rng, self.size, length), 0.09)
            patchy = step(noise(self.rng, self.size, 0.3), -0.6, 0.8)
            self.tint(strength * weight * lines * patchy, (0.55, 0.13, 0.13))

    def tunnel(self, x: float, y: float, radius: float) -> None:
        """Opens a dark lumen at a point; the wall darkens towards it."""
        r, _ = self.polar(x, y)
        self.light *= 0.06 + 0.94 * step(r, radius * 0.3, radius * 2.6)
        self.height += 0.25 * step(r, 0, radius * 2.5)

    def rings(self, x: float, y: float, count: float, depth: float) -> None:
        """Puts folds around a lumen, as in the colon: each an arc, bright in front and in its own shadow behind."""
        r, angle = self.polar(x, y)
        phase = count * np.log(r + 0.15) + 0.25 * noise(self.rng, self.size, 0.35) + self.rng.uniform()
        arc = 0.55 + 0.45 * np.cos(3 * angle + self.rng.uniform(0, 6.3) + 2 * np.floor(phase))
        within = phase - np.floor(phase)
        self.height += depth * arc * bump(within - 0.5, 0.22) * step(r, 0.08, 0.5)
        self.light *= 1 - 0.55 * arc * bump(within - 0.12, 0.12) * step(r, 0.05, 0.3)

    def grain(self, length: float, depth: float) -> None:
        """Roughens the whole wall."""
        self.height += depth * noise(self.rng, self.size, length)

    def render(self) -> np.ndarray:
        """Lights the wall and takes the picture.

        Returns:
            Array (N, N, 3), uint8, RGB.
        """
        rng, size = self.rng, self.size
        slope_v, slope_u = np.gradient(self.height, 2 / size)
        normal = np.stack([-slope_u, -slope_v, np.ones_like(slope_u)])
        normal /= np.linalg.norm(normal, axis=0)
        lamp = np.stack(
            [rng.uniform(-0.35, 0.35) - self.u, rng.uniform(-0.35, 0.35) - self.v, np.full_like(self.u, 1.1)]
        )
        lamp /= np.linalg.norm(lamp, axis=0)
        diffuse = np.clip((normal * lamp).sum(0), 0, 1)
        between = lamp + np.array([0, 0, 1.0])[:, None, None]
        between /= np.linalg.norm(between, axis=0)
        glint = np.clip((normal * between).sum(0), 0, 1) ** 90
        wet = step(noise(rng, size, 0.05) + 0.8 * noise(rng, size, 0.2), 0.9, 1.5)
        glint = step(glint * wet * self.light * self.wetness, 0.25, 0.6)

        picture = self.colour * (0.22 + 0.95 * diffuse * self.light)[..., None] * (0.25 + 0.75 * self.light)[..., None]
        picture = picture * rng.uniform(0.8, 1.25) + glint[..., None] * np.array([1.0, 0.98, 0.95])
        return _lens(picture, self.u, self.v, rng)


def _lens(picture: np.ndarray, u: Field, v: Field, rng: np.random.Generator) -> np.ndarray:
    """Adds white balance, vignette, blur, noise and the dark surround."""
    size = len(u)
    picture = picture * rng.uniform([0.85, 0.82, 0.75], [1.12, 1.15, 1.25])
    if rng.uniform() < 0.12:  # narrow-band light, bluish
        picture = np.stack(
            [picture[..., 1] * 1.15, picture[..., 1] * 1.2, 0.5 * picture[..., 2] + 0.5 * picture[..., 0]], -1
        )
    if rng.uniform() < 0.15:  # grey-blue cast of a cold lamp
        picture = 0.7 * picture + 0.3 * picture.mean(-1, keepdims=True) * np.array([0.85, 1.0, 1.2])
    picture = picture * (1 - rng.uniform(0.15, 0.45) * (u**2 + v**2))[..., None]
    focus = rng.uniform(0.004, 0.014)
    picture = np.stack([blur(channel, focus) for channel in np.moveaxis(picture, -1, 0)], -1)
    picture = picture + rng.normal(0, rng.uniform(0.008, 0.025), picture.shape)
    surround = rng.integers(3)
    reach = rng.uniform(0.93, 1.0)
    if surround == 0:
        edge = np.hypot(u, v)
    elif surround == 1:  # a frame with its corners cut off
        edge = np.maximum(np.maximum(abs(u), abs(v)), (abs(u) + abs(v)) / 1.45)
    else:
        edge = np.maximum(abs(u), abs(v)) * 0.9
    inside = 1 - step(edge, reach, reach + 4 / size)
    picture = np.clip(picture, 0, 1) ** 0.85 * inside[..., None] + 0.03 * (1 - inside[..., None])
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
