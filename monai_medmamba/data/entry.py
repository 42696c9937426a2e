"""One image as a folder or a table lists it, before labels become numbers and splits are settled."""

import re
from dataclasses import dataclass

SPLITS = ("training", "validation", "test")

SPLIT_NAMES = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Entry:
    """One listed image.

    Args:
        path: Path relative to the data set's folder, with forward slashes.
        label: Name of its class.
        split: One of ``SPLITS``; None where the data set does not say.
        patient: Who it shows; None where the data set does not say.
    """

    path: str
    label: str
    split: str | None = None
    patient: str | None = None


def natural_order(name: str) -> list[tuple[int, int | str]]:
    """Sorting key by name in which numbers count as numbers.

    Example:
        >>> sorted(["b", "10", "a", "9"], key=natural_order)
        ['9', '10', 'a', 'b']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(0, int(part)) if part.isascii() and part.isdigit() else (1, part) for part in parts]
