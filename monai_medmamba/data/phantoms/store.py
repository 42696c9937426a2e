"""Draws the embedded data set into a folder, once, and checks it at each use."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.phantoms.cache import cache_folder
from monai_medmamba.data.phantoms.findings import FINDINGS
from monai_medmamba.data.phantoms.kept_set import keep_set
from monai_medmamba.data.phantoms.scene import Scene

logger = logging.getLogger(__name__)

VERSION = 1  # raise it with each change to the pictures


def draw_phantom(label: str, number: int, *, size: int = 128, seed: int = 0) -> np.ndarray:
    """Draws one picture.

    Args:
        label: A class of ``FINDINGS``.
        number: Which picture of the class, from 0.
        size: Side in pixels.
        seed: Seed of the set.

    Returns:
        Array (size, size, 3), uint8, RGB; the same for the same arguments.

    Example:
        >>> draw_phantom("polyps", 0, size=32).shape
        (32, 32, 3)
    """
    scene = Scene(np.random.default_rng([seed, list(FINDINGS).index(label), number]), size)
    FINDINGS[label](scene)
    return scene.render()


def endoscopy_phantoms(
    root: str | os.PathLike[str] | None = None, *, images_per_class: int = 60, size: int = 128, seed: int = 0
) -> Path:
    """Gives a folder of endoscopy-like pictures, eight classes in folders named as in Kvasir.

    Draws it if it is not there yet (about fifteen seconds), beside its place and moved into it when whole, so several
    processes may ask at once. Each use compares every file with the digest that was noted when it was drawn; a set
    with a changed or missing file is drawn again, with a warning.

    Args:
        root: The data set's folder; None takes one in the user's cache folder, which ``MONAI_MEDMAMBA_CACHE`` may name.
        images_per_class: Pictures a class.
        size: Side of a picture in pixels, 16 or more.
        seed: Equal seeds give equal pixels; a larger set begins with the smaller one's pictures.

    Returns:
        The folder, absolute: ``<class>/<class>_000.png`` and so on.

    Raises:
        DatasetError: ``root`` holds files that were not drawn here, or a set drawn with other arguments; or a number
            is too small.

    Example:
        >>> import tempfile
        >>> folder = endoscopy_phantoms(tempfile.mkdtemp() + "/set", images_per_class=1, size=32)
        >>> sorted(child.name for child in folder.iterdir())[-2:]
        ['polyps', 'ulcerative-colitis']
    """
    if images_per_class < 1 or size < 16 or seed < 0:
        found = f"images_per_class={images_per_class}, size={size}, seed={seed}"
        raise DatasetError("at least 1 image a class, of 16 pixels or more, and a seed from 0", found, "Correct them")
    drawn_with = {"version": VERSION, "images_per_class": images_per_class, "size": size, "seed": seed}
    if root is None:
        target = cache_folder() / f"endoscopy_phantoms-v{VERSION}-{images_per_class}x{size}px-seed{seed}"
    else:
        target = Path(os.path.abspath(os.path.expanduser(root)))
    keep_set(target, drawn_with, lambda folder: _draw_set(folder, drawn_with))
    return target


def _draw_set(folder: Path, drawn_with: Mapping[str, Any]) -> None:
    logger.info("Drawing %d phantoms.", drawn_with["images_per_class"] * len(FINDINGS))
    for label in FINDINGS:
        (folder / label).mkdir(parents=True)
        for number in range(drawn_with["images_per_class"]):
            name = f"{label}/{label}_{number:03d}.png"
            picture = draw_phantom(label, number, size=drawn_with["size"], seed=drawn_with["seed"])
            Image.fromarray(picture).save(folder / name)
