"""Which changes keep the meaning of an image, by modality."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple


class Safe(NamedTuple):
    """What may be done to an image at random, and why no more."""

    flip: bool
    mirror: bool
    turns: bool
    rotate: float
    tint: bool
    intensity: float
    why: str


def _degrees(angle: float) -> float:
    return round(angle * 3.14159 / 180, 2)


ANY_WAY_UP = "The camera has no fixed way up, so flips and quarter turns are images as good as the first."
SKIN = "Skin has no way up; colour tells diagnoses apart, so it changes little."
CAREFUL = "Not known to be safe: no flips, no turns, no changes of colour."

MODALITIES = MappingProxyType(
    {
        "endoscopy": Safe(True, True, True, _degrees(15), True, 0.2, ANY_WAY_UP),
        "microscopy": Safe(True, True, True, _degrees(15), True, 0.2, "A slide has no way up; stains vary in colour."),
        "dermatoscopy": Safe(True, True, True, _degrees(15), True, 0.1, SKIN),
        "photography": Safe(False, True, False, _degrees(15), True, 0.1, "Pictures stand upright; colour matters."),
        "ultrasound": Safe(
            *(False, True, False, _degrees(10), False, 0.2),
            "Depth runs downwards, and shadows with it: no flips upside down and no turns. Left and right depend on "
            "how the probe is held, so a mirror image is one that could have been taken.",
        ),
        "radiography": Safe(
            *(False, False, False, _degrees(7), False, 0.2),
            "Left and right matter (the heart, the marker), and so does the way up: no mirror, no flips, no turns; "
            "rotation as far as patients stand askew.",
        ),
        "mammography": Safe(
            *(False, True, False, _degrees(10), False, 0.2), "A breast's mirror image is one of the other side."
        ),
        "fundus photography": Safe(
            *(False, True, False, _degrees(15), True, 0.1),
            "The other eye is a mirror image; above and below differ; colour matters.",
        ),
        "optical coherence tomography": Safe(
            *(False, True, False, _degrees(7), False, 0.2),
            "The layers of the retina lie one above the other; the other eye is a mirror image.",
        ),
        "computed tomography": Safe(
            *(False, False, False, _degrees(10), False, 0.1), "Organs have a side, and values have a meaning."
        ),
        "magnetic resonance": Safe(*(False, False, False, _degrees(10), False, 0.2), "Left and right differ."),
    }
)
"""Modalities as fingerprints name them."""

UNKNOWN = Safe(False, False, False, _degrees(10), False, 0.2, CAREFUL)
