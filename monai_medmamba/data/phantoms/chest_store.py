"""Draws the embedded set of volumes into a folder, once, and checks it at each use."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.phantoms.cache import cache_folder
from monai_medmamba.data.phantoms.chest import Chest
from monai_medmamba.data.phantoms.kept_set import keep_set
from monai_medmamba.data.phantoms.nodules import NODULES

logger = logging.getLogger(__name__)

VERSION = 1  # raise it with each change to the volumes
SPACING = 1.5  # mm


def draw_nodule(label: str, number: int, *, size: int = 48, seed: int = 0) -> np.ndarray:
    """Draws one volume.

    Args:
        label: A class of ``NODULES``.
        number: Which volume of the class, from 0.
        size: Side in voxels.
        seed: Seed of the set.

    Returns:
        Array (size, size, size), int16, Hounsfield units; the same for the same arguments.

    Example:
        >>> draw_nodule("benign", 0, size=16).shape
        (16, 16, 16)
    """
    chest = Chest(np.random.default_rng([seed, list(NODULES).index(label), number]), size)
    NODULES[label](chest)
    return chest.render()


def chest_phantoms(
    root: str | os.PathLike[str] | None = None, *, volumes_per_class: int = 100, size: int = 48, seed: int = 0
) -> Path:
    """Gives a folder of CT-like volumes with a lung nodule each, in the folders ``benign`` and ``malignant``.

    Draws it if it is not there yet (about fifteen seconds), and checks it at each use as ``endoscopy_phantoms`` does.
    Needs nibabel.

    Args:
        root: The data set's folder; None takes one in the user's cache folder, which ``MONAI_MEDMAMBA_CACHE`` may name.
        volumes_per_class: Volumes a class.
        size: Side of a volume in voxels of 1.5 mm, 16 or more.
        seed: Equal seeds give equal voxels; a larger set begins with the smaller one's volumes.

    Returns:
        The folder, absolute: ``<class>/<class>_000.nii.gz`` and so on.

    Raises:
        DatasetError: ``root`` holds files that were not drawn here, or a set drawn with other arguments; or a number
            is too small.

    Example:
        >>> import tempfile
        >>> folder = chest_phantoms(tempfile.mkdtemp() + "/set", volumes_per_class=1, size=16)
        >>> sorted(path.name for path in folder.glob("*/*"))
        ['benign_000.nii.gz', 'malignant_000.nii.gz']
    """
    if volumes_per_class < 1 or size < 16 or seed < 0:
        found = f"volumes_per_class={volumes_per_class}, size={size}, seed={seed}"
        raise DatasetError("at least 1 volume a class, of 16 voxels or more, and a seed from 0", found, "Correct them")
    drawn_with = {"chest": VERSION, "volumes_per_class": volumes_per_class, "size": size, "seed": seed}
    if root is None:
        target = cache_folder() / f"chest_phantoms-v{VERSION}-{volumes_per_class}x{size}vx-seed{seed}"
    else:
        target = Path(os.path.abspath(os.path.expanduser(root)))
    keep_set(target, drawn_with, lambda folder: _draw_set(folder, drawn_with))
    return target


def _draw_set(folder: Path, drawn_with: Mapping[str, Any]) -> None:
    import nibabel

    logger.info("Drawing %d volumes.", drawn_with["volumes_per_class"] * len(NODULES))
    affine = np.diag([SPACING, SPACING, SPACING, 1])
    affine[:3, 3] = -SPACING * (drawn_with["size"] - 1) / 2
    for label in NODULES:
        (folder / label).mkdir(parents=True)
        for number in range(drawn_with["volumes_per_class"]):
            values = draw_nodule(label, number, size=drawn_with["size"], seed=drawn_with["seed"])
            nibabel.save(nibabel.Nifti1Image(values, affine), folder / label / f"{label}_{number:03d}.nii.gz")
