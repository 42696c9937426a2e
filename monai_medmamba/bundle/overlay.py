"""Overlays: small configs that MONAI merges over those of any bundle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Overlay", "find_overlay", "list_overlays"]

_FOLDER = Path(__file__).parent / "overlays"


@dataclass(frozen=True)
class Overlay:
    """One overlay.

    Args:
        name: what a user writes.
        path: of its JSON file.
        purpose: one line, from the file itself.

    Example:
        >>> find_overlay("multi_gpu_train").name
        'multi_gpu_train'
    """

    name: str
    path: Path
    purpose: str


def list_overlays() -> list[Overlay]:
    """Returns every overlay, by name.

    Returns:
        The overlays that the package brings.

    Example:
        >>> "multi_gpu_train" in [overlay.name for overlay in list_overlays()]
        True
    """
    return [
        Overlay(path.stem, path, json.loads(path.read_text(encoding="utf-8"))["_overlay_"])
        for path in sorted(_FOLDER.glob("*.json"))
    ]


def find_overlay(name: str) -> Overlay:
    """Returns the overlay of a name.

    Args:
        name: as :func:`list_overlays` has it.

    Returns:
        The overlay; its path can stand in ``--config_file`` of any bundle, wherever it lies.

    Raises:
        ValueError: there is none of this name; the message lists those that are.

    Example:
        >>> find_overlay("multi_gpu_train").path.name
        'multi_gpu_train.json'
    """
    known = {overlay.name: overlay for overlay in list_overlays()}
    if name not in known:
        raise ValueError(f"expected the name of an overlay, one of {', '.join(known)}; got {name}")
    return known[name]
