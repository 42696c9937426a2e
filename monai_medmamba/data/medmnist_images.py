"""Unpacks a MedMNIST file into pictures and a table, once, in the user's cache folder."""

import csv
import hashlib
import logging
import re
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.medmnist_file import Part, read_parts, stream_images
from monai_medmamba.data.phantoms.cache import cache_folder
from monai_medmamba.data.whole_folder import place_folder

logger = logging.getLogger(__name__)

VERSION = 1  # raise it with each change to what is unpacked
TABLE = "images.csv"
HASHED = 2**20


def unpack_medmnist(path: Path) -> Path:
    """Gives a folder with the images of a MedMNIST file as PNG files, and a table of labels and splits.

    Nothing is unpacked that is there already: the folder is named after the file, its size and date, and the SHA-256
    of its first and last MiB; the last holds the checksums of all its arrays. A folder in which files are missing or
    of another size is unpacked again, with a warning.

    Args:
        path: The ``.npz`` file.

    Returns:
        The folder: ``train_images/0.png`` for the first image of the array ``train_images`` and so on, and
        ``images.csv`` with the columns path, label, split and bytes. A label is a number, or a 0 or 1 for each class
        with blanks between them where an image may have several.

    Raises:
        DatasetError: The file is damaged, of another form, has no labels, or holds volumes or values that are no
            picture.
        OSError: The cache folder cannot be written, or the disk is full.
    """
    parts, _ = read_parts(path)
    _check(path, parts)
    target = cache_folder() / f"{path.stem}-v{VERSION}-{_key_of(path)}"
    damage = _find_damage(target)
    if damage is not None:
        if damage:
            logger.warning("The images of %s in %s are damaged (%s); unpacking them again.", path, target, damage)
        else:
            logger.info("Unpacking %d images of %s into %s.", sum(part.shape[0] for part in parts), path, target)
        place_folder(target, partial(_unpack, path=path, parts=parts), _find_damage)
    return target


def unpacked_name(name: str) -> str:
    """Returns the path of an image that is named as in the file; any other name as it is.

    Example:
        >>> unpacked_name("breastmnist.npz#train_images/115")
        'train_images/115.png'
    """
    return re.sub(r"^[^#]*\.npz#([a-z]+_images/[^/]+)$", r"\1.png", name)


def _check(path: Path, parts: list[Part]) -> None:
    """Refuses what cannot be made into pictures with labels."""
    expected = f"pictures with labels in {path}"
    widths = [part.labels.shape[1] for part in parts if part.labels is not None]
    for part in parts:
        kind = f"{part.array} of {part.dtype} and shape {part.shape}"
        if len(part.shape) == 5 or (len(part.shape) == 4 and part.shape[-1] not in (1, 3)):
            raise DatasetError(expected, f"volumes, {kind}", "Name one of the two-dimensional sets")
        if part.labels is None:
            raise DatasetError(expected, f"no labels beside {part.array}", "Download the file again")
        if part.labels.shape[1] != widths[0] or (widths[0] > 1 and not set(np.unique(part.labels)) <= {0, 1}):
            found = f"labels of shape {part.labels.shape} beside {part.array}"
            raise DatasetError(expected, found, "Give one number an image, or as many of 0 and 1 in each split")
        coloured = part.shape[-1] == 3 and len(part.shape) == 4
        if part.dtype != np.uint8 and (coloured or part.dtype not in (np.dtype(bool), np.dtype(np.uint16))):
            raise DatasetError(expected, kind, "Store values from 0 to 255 as uint8")


def _key_of(path: Path) -> str:
    facts = path.stat()
    digest = hashlib.sha256(f"{facts.st_size} {facts.st_mtime_ns}".encode())
    with path.open("rb") as stream:
        digest.update(stream.read(HASHED))
        stream.seek(max(0, facts.st_size - HASHED))
        digest.update(stream.read(HASHED))
    return digest.hexdigest()[:16]


def _find_damage(target: Path) -> str | None:
    """Returns None for a folder that is whole, "" where there is none, and else what is wrong with it."""
    if not target.exists() or not any(target.iterdir()):
        return ""
    try:
        with (target / TABLE).open(encoding="utf-8", newline="") as stream:
            noted = [(row["path"], int(row["bytes"])) for row in csv.DictReader(stream)]
    except (OSError, ValueError, KeyError, csv.Error):
        return f"{TABLE} is not readable"
    bad = [name for name, size in noted if not (target / name).is_file() or (target / name).stat().st_size != size]
    return f"{len(bad)} of {len(noted)} files changed or missing, {bad[0]} first" if bad else None


def _unpack(folder: Path, path: Path, parts: list[Part]) -> None:
    from tqdm.auto import tqdm

    labels: dict[str, str] = {}
    splits: dict[str, str] = {}
    for part in parts:
        (folder / part.array).mkdir(parents=True)
        splits[part.array] = part.split
        for i, row in enumerate(() if part.labels is None else part.labels):
            labels[f"{path.name}#{part.array}/{i}"] = " ".join(str(int(mark)) for mark in row)
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["path", "label", "split", "bytes"])
        images = stream_images(path, set(labels))
        for item, values in tqdm(
            images, f"Unpacking {path.name}", len(labels), unit="image", dynamic_ncols=True, disable=None
        ):
            name = unpacked_name(item)
            Image.fromarray(values.astype(np.uint8) * 255 if values.dtype == bool else values).save(folder / name)
            table.writerow([name, labels[item], splits[name.split("/")[0]], (folder / name).stat().st_size])
