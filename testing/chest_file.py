"""A file of ChestMNIST's form: grey pictures with fourteen labels each, some with none."""

from pathlib import Path

import numpy as np

LABELS = 14
COUNTS = {"train": 60, "val": 30, "test": 45}


def chest_file(path: Path, size: int = 32, seed: int = 0) -> Path:
    """Draw the file: a label lights up a block of its own, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, count in COUNTS.items():
        labels = rng.random((count, LABELS)) < np.linspace(0.1, 0.5, LABELS)
        labels[np.arange(LABELS), np.arange(LABELS)] = True  # each label in each split
        labels[LABELS : LABELS + 5] = False  # some images have none
        pictures = rng.integers(0, 90, (count, size, size), dtype=np.uint8)
        side = size // 4
        for label in range(LABELS):
            top, left = side * (label // 4), side * (label % 4)
            pictures[labels[:, label], top : top + side, left : left + side] += 120
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = pictures, labels.astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path
