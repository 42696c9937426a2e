"""MedMNIST's volumes: from one ``.npz`` file to folders of NIfTI files, as other data sets come."""

import hashlib
import logging
import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.phantoms.cache import cache_folder
from monai_medmamba.data.phantoms.kept_set import keep_set

logger = logging.getLogger(__name__)

VERSION = 1  # raise it with each change to the files


def unpack_medmnist3d(archive: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> Path:
    """Unpacks a file of MedMNIST3D into ``train``, ``val`` and ``test`` folders, with a folder a class in each.

    Classes are named by their numbers, values stay as they are (0 to 255), voxels count as 1 mm: the file says neither
    names nor lengths, nor which side of an array is whose. It is unpacked once. Needs nibabel.

    Args:
        archive: The ``.npz`` file with the arrays ``train_images`` (n, X, Y, Z), ``train_labels`` (n, 1) and so on.
        root: Where to; None takes a folder in the user's cache, named after the file and its content.

    Returns:
        The folder, absolute: ``<split>/<class>/<class>_0000.nii`` and so on, numbered as in the array.

    Raises:
        DatasetError: The file cannot be read, holds Python objects, or is of another form.

    Example:
        >>> unpack_medmnist3d("no/such/nodulemnist3d.npz")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...no/such/nodulemnist3d.npz...
    """
    path = Path(os.path.abspath(os.path.expanduser(archive)))
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        cure = "Check the path and its permissions"
        raise DatasetError(f"a file {path}", error.strerror or str(error), cure) from error
    name = f"{path.stem}-v{VERSION}-{digest[:12]}"
    target = cache_folder() / name if root is None else Path(os.path.abspath(os.path.expanduser(root)))

    drawn_with = {"medmnist3d": VERSION, "file": path.name, "sha256": digest}
    keep_set(target, drawn_with, lambda folder: _unpack(path, folder))
    return target


def unpacked_volume(name: str, label: str | None) -> str:
    """Returns the path of a volume that is named as in the file; any other name as it is.

    Args:
        name: As a fingerprint names it.
        label: The number of its class.

    Example:
        >>> unpacked_volume("nodulemnist3d.npz#train_images/115", "1")
        'train/1/1_0115.nii'
    """
    match = re.fullmatch(r"[^#]*\.npz#([a-z]+)_images/([0-9]+)", name)
    return f"{match[1]}/{label}/{label}_{int(match[2]):04d}.nii" if match else name


def _unpack(path: Path, folder: Path) -> None:
    import nibabel

    for split in ("train", "val", "test"):
        images, labels = _arrays(path, split)
        logger.info("Unpacking %d volumes of %s.", len(images), split)
        for label in np.unique(labels):
            (folder / split / str(label)).mkdir(parents=True)
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            target = folder / split / str(label) / f"{label}_{number:04d}.nii"
            nibabel.save(nibabel.Nifti1Image(image, np.eye(4)), target)


def _arrays(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns images (n, X, Y, Z), uint8, and labels (n,)."""
    cure = "Name a file as the MedMNIST project publishes them, such as nodulemnist3d.npz"
    try:
        with np.load(path, allow_pickle=False) as content:
            images, labels = content[f"{split}_images"], content[f"{split}_labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"MedMNIST3D arrays in {path}", f"{type(error).__name__}: {error}", cure) from error
    if images.ndim == 5 and images.shape[-1] == 1:
        images = images[..., 0]
    sound = images.ndim == 4 and images.dtype == np.uint8 and labels.shape in ((len(images),), (len(images), 1))
    if not sound or labels.dtype.kind not in "iu":
        found = f"{split}_images {images.shape} {images.dtype}, {split}_labels {labels.shape} {labels.dtype}"
        raise DatasetError(f"volumes of bytes with one label each in {path}", found, cure)
    return images, labels.reshape(-1)
