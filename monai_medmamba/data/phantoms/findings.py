"""The eight classes of Kvasir, as cartoons: each function adds to a scene what makes its class."""

from collections.abc import Callable

import numpy as np

from monai_medmamba.data.phantoms.fields import Field, bump, noise, step
from monai_medmamba.data.phantoms.scene import Scene


def dyed_lifted_polyps(scene: Scene) -> None:
    """A polyp on a cushion that was lifted by injecting blue fluid."""
    x, y = _colon(scene, far=True)
    _dye(scene, x, y, scene.rng.uniform(0.5, 0.75))
    _dome(scene, x, y, scene.rng.uniform(0.55, 0.75), 0.2)
    _polyp(scene, x + scene.rng.uniform(-0.1, 0.1), y + scene.rng.uniform(-0.1, 0.1), scene.rng.uniform(0.24, 0.38))


def dyed_resection_margins(scene: Scene) -> None:
    """The wound after a polyp was cut off, in blue-stained mucosa: a flat crater with a burnt rim."""
    rng = scene.rng
    x, y = _colon(scene, far=True)
    _dye(scene, x, y, rng.uniform(0.5, 0.75))
    r, _ = scene.polar(x, y)
    edge = r / rng.uniform(0.34, 0.5) + 0.14 * noise(rng, scene.size, 0.12)
    crater = 1 - step(edge, 0.92, 1.08)
    scene.height -= 0.14 * crater
    scene.height += 0.05 * bump(edge - 1.15, 0.16)
    scene.tint(0.85 * crater, (0.80, rng.uniform(0.62, 0.75), rng.uniform(0.55, 0.8)))
    scene.tint(0.8 * crater * bump(noise(rng, scene.size, 0.06), 0.2), (0.45, 0.50, 0.75))
    scene.tint(0.9 * crater * step(noise(rng, scene.size, 0.05), 1.1, 1.5), (0.45, 0.06, 0.05))
    scene.tint(0.8 * bump(edge - 1.0, 0.09), (0.50, 0.20, 0.12))


def esophagitis(scene: Scene) -> None:
    """Red streaks with white slough that run up the gullet from the border to the stomach."""
    rng = scene.rng
    r, angle, border = _gullet(scene)
    for start in rng.uniform(0, 2 * np.pi) + np.arange(rng.integers(3, 6)) * rng.uniform(1.05, 1.3):
        reach = border + rng.uniform(0.3, 0.6)
        aside = np.angle(np.exp(1j * (angle - start))) * r + 0.02 * noise(rng, scene.size, 0.08)
        along = step(r, 0.1, 0.25) * (1 - step(r, reach - 0.12, reach))
        width = rng.uniform(0.07, 0.11) * np.clip(1.3 - r / reach, 0.25, 1)
        patchy = step(noise(rng, scene.size, 0.1), -1.2, 0.0)
        scene.tint(0.9 * along * bump(aside, width), (0.72, 0.10, 0.10))
        scene.tint(0.85 * along * patchy * bump(aside, 0.45 * width) * step(r, 0.3, 0.4), (0.90, 0.80, 0.62))


def normal_cecum(scene: Scene) -> None:
    """The blind end of the colon: broad folds that meet, and the slit of the appendix."""
    rng = scene.rng
    scene.vessels(0.6)
    x, y = rng.uniform(-0.3, 0.3, 2)
    r, angle = scene.polar(x, y)
    swirl = angle + 1.2 * r + rng.uniform(0, 6.3)
    scene.height += 0.10 * np.cos(3 * swirl) * step(r, 0.25, 0.9)
    scene.light *= 1 - 0.5 * bump(np.sin(1.5 * swirl), 0.22) * step(r, 0.3, 0.7)
    scene.height += 0.06 * bump(r - 0.24, 0.08)
    slit = np.hypot((scene.x - x) / 0.17, (scene.y - y - 0.6 * (scene.x - x) ** 2 / 0.17) / rng.uniform(0.05, 0.08))
    scene.light *= 0.12 + 0.88 * step(slit, 0.6, 1.3)
    scene.tint(
        0.8 * step(noise(rng, scene.size, 0.05) + 0.6 * noise(rng, scene.size, 0.3), 2.2, 2.5), (0.72, 0.55, 0.15)
    )


def normal_pylorus(scene: Scene) -> None:
    """A round hole with a smooth rim, and folds of the stomach that converge on it."""
    rng = scene.rng
    x, y = rng.uniform(-0.28, 0.28, 2)
    r, angle = scene.polar(x, y)
    radius = rng.uniform(0.10, 0.20)
    scene.light *= 0.05 + 0.95 * step(r, 0.8 * radius, 1.15 * radius)
    scene.height += 0.07 * bump(r - 1.9 * radius, 0.6 * radius) + 0.12 * step(r, 0.3, 1.2)
    scene.light *= 1 - 0.35 * bump(r - 3.2 * radius, 0.5 * radius)
    count = rng.integers(4, 8)
    scene.height += (
        0.035 * np.cos(count * angle + 2 * noise(rng, scene.size, 0.4)) * step(r, 2.2 * radius, 4.5 * radius)
    )
    scene.tint(0.4 * bump(r - 1.3 * radius, 0.4 * radius), (0.85, 0.30, 0.25))
    scene.wetness = 1.3


def normal_z_line(scene: Scene) -> None:
    """The jagged border between the pale gullet and the red stomach."""
    scene.vessels(0.25)
    _gullet(scene)


def polyps(scene: Scene) -> None:
    """A polyp on the wall of the colon, sitting on it or on a stalk."""
    rng = scene.rng
    scene.vessels(0.5)
    x, y = _colon(scene, far=False)
    radius = rng.uniform(0.26, 0.46)
    if rng.uniform() < 0.5:
        direction = rng.uniform(0, 2 * np.pi)
        dx, dy = np.cos(direction), np.sin(direction)
        along = (scene.x - x) * dx + (scene.y - y) * dy
        aside = (scene.x - x) * dy - (scene.y - y) * dx
        stalk = step(along, 0, 0.1) * (1 - step(along, 2.0 * radius, 2.4 * radius))
        scene.height += 0.14 * stalk * np.sqrt(np.clip(1 - (aside / (0.42 * radius)) ** 2, 0, 1))
        scene.light *= 1 - 0.4 * stalk * bump(abs(aside) - 0.5 * radius, 0.05)
    _polyp(scene, x, y, radius)


def ulcerative_colitis(scene: Scene) -> None:
    """Inflamed colon: red, granular, no vessels and few folds, with slough and bleeding."""
    rng = scene.rng
    x, y = rng.uniform(-0.45, 0.45, 2)
    scene.tunnel(x, y, rng.uniform(0.12, 0.24))
    scene.rings(x, y, rng.uniform(1.0, 1.6), 0.03)
    patchy = step(noise(rng, scene.size, 0.25), -1.2, 0.6)
    scene.tint(0.55 * patchy, (0.74, 0.22, 0.18))
    scene.grain(0.035, 0.010)
    red = noise(rng, scene.size, 0.03) + 0.5 * noise(rng, scene.size, 0.25)
    scene.tint(0.8 * step(red, 1.3, 1.9), (0.52, 0.04, 0.05))
    white = noise(rng, scene.size, 0.055) + 0.7 * noise(rng, scene.size, 0.3)
    scene.tint(0.85 * step(white, 1.7, 2.2), (0.90, 0.82, 0.62))


FINDINGS: dict[str, Callable[[Scene], None]] = {
    "dyed-lifted-polyps": dyed_lifted_polyps,
    "dyed-resection-margins": dyed_resection_margins,
    "esophagitis": esophagitis,
    "normal-cecum": normal_cecum,
    "normal-pylorus": normal_pylorus,
    "normal-z-line": normal_z_line,
    "polyps": polyps,
    "ulcerative-colitis": ulcerative_colitis,
}


def _colon(scene: Scene, far: bool) -> tuple[float, float]:
    """Draws a stretch of colon and returns a place on its wall for a finding; ``far`` puts the lumen out of sight."""
    rng = scene.rng
    direction, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.3) if far else rng.uniform(0.45, 0.8)
    x, y = -0.35 * away * np.cos(direction), -0.35 * away * np.sin(direction)
    lumen = x + away * np.cos(direction), y + away * np.sin(direction)
    scene.tunnel(*lumen, rng.uniform(0.12, 0.22))
    scene.rings(*lumen, rng.uniform(1.4, 2.4), 0.06)
    return x, y


def _gullet(scene: Scene) -> tuple[Field, Field, Field]:
    """Draws the lower gullet and the border to the stomach; returns distance, angle and the border's distance."""
    rng = scene.rng
    x, y = rng.uniform(-0.2, 0.2, 2)
    r, angle = scene.polar(x, y)
    scene.tunnel(x, y, rng.uniform(0.07, 0.14))
    scene.height += 0.03 * np.cos(rng.integers(4, 7) * angle + noise(rng, scene.size, 0.4)) * step(r, 0.15, 0.6)
    border = np.full_like(r, rng.uniform(0.36, 0.55))
    for teeth in (2, 3, 5, 7, 11):
        border += rng.uniform(0.02, 0.06) * np.sin(teeth * angle + rng.uniform(0, 6.3))
    scene.tint(0.6 * step(r - border, -0.02, 0.02), (0.88, 0.66, 0.60))
    scene.tint(0.55 * (1 - step(r - border, -0.02, 0.02)), (0.78, 0.28, 0.20))
    return r, angle, border


def _dye(scene: Scene, x: float, y: float, radius: float) -> None:
    """Stains the wall blue around a point, in patches."""
    rng = scene.rng
    r, _ = scene.polar(x, y)
    stain = 1 - step(r / radius + 0.25 * noise(rng, scene.size, 0.2), 0.7, 1.5)
    blue = (rng.uniform(0.12, 0.35), rng.uniform(0.35, 0.55), rng.uniform(0.65, 0.85))
    scene.tint(rng.uniform(0.55, 0.85) * stain * (0.75 + 0.25 * noise(rng, scene.size, 0.1)), blue)


def _dome(scene: Scene, x: float, y: float, radius: float, height: float) -> Field:
    """Raises a smooth dome and returns how far each point is from its middle, 1 at its foot."""
    rng = scene.rng
    turn, squeeze = rng.uniform(0, np.pi), rng.uniform(0.75, 1.0)
    dx, dy = scene.x - x, scene.y - y
    along, aside = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
    d = np.hypot(along, aside / squeeze) / radius + 0.05 * noise(rng, scene.size, 0.15)
    scene.height += height * np.clip(1 - d**2, 0, 1) ** 0.8
    scene.light *= 1 - 0.35 * bump(d - 1.12, 0.16)
    return d


def _polyp(scene: Scene, x: float, y: float, radius: float) -> None:
    """Adds a polyp: a dome with a colour and a pitted texture of its own."""
    rng = scene.rng
    d = _dome(scene, x, y, radius, rng.uniform(0.5, 0.7) * radius)
    inside = 1 - step(d, 0.9, 1.0)
    scene.light = scene.light * (1 - inside) + inside * np.maximum(scene.light, 1.25 - 0.35 * d)
    scene.tint(0.7 * inside, (rng.uniform(0.80, 0.95), rng.uniform(0.30, 0.50), rng.uniform(0.28, 0.42)))
    scene.height += 0.006 * inside * noise(rng, scene.size, 0.04)
    scene.tint(0.35 * inside * bump(noise(rng, scene.size, 0.05), 0.2), (0.60, 0.15, 0.15))
