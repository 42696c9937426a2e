"""What every reader returns: the values of one image, and what its file says about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Decoded:
    """One decoded image.

    Args:
        values: (H, W) or (H, W, 3); for a volume (D, H, W) or (D, H, W, 3). White is high.
        volume: Whether the values have three dimensions in space.
        format: Name of the file's format.
        mode: How the file stores a pixel, in the format's own words.
        bits: Bits of a stored channel.
        full_scale: What stands for 1 when the image is read for training; None where values keep a unit of their
            own, such as Hounsfield units.
        frames: Images or time points in the file; the values are those of the middle one.
        flags: Codes of remarks on this file, each perhaps with ``: `` and a detail.
        tags: What else the file says: modality, spacing, patient, series ...
    """

    values: np.ndarray
    volume: bool
    format: str
    mode: str
    bits: int
    full_scale: float | None
    frames: int = 1
    flags: tuple[str, ...] = ()
    tags: dict[str, Any] = field(default_factory=dict)


class UnreadableError(ValueError):
    """An image that cannot be read; the message says what is wrong with it, and the cure, without its path."""

    def __init__(self, found: str, cure: str) -> None:
        super().__init__(f"{found}. {cure}.")
