"""Draws the embedded data set into a folder, once, and checks it at each use."""

import hashlib
import json
import logging
import os
import secrets
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.phantoms.cache import cache_folder
from monai_medmamba.data.phantoms.findings import FINDINGS
from monai_medmamba.data.phantoms.scene import Scene

logger = logging.getLogger(__name__)

VERSION = 1  # raise it with each change to the pictures
MANIFEST = ".phantoms.json"


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
    damage = _find_damage(target, drawn_with)
    if damage is None:
        return target
    if damage:
        logger.warning("The phantoms in %s are damaged (%s); drawing them again.", target, damage)
    else:
        logger.info("Drawing %d phantoms into %s.", images_per_class * len(FINDINGS), target)
    _draw_into_place(target, drawn_with)
    return target


def _find_damage(target: Path, drawn_with: dict[str, int]) -> str | None:
    """Returns None for a set that is whole, "" where there is none, and else what is wrong with it."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return ""
    manifest = target / MANIFEST
    if not manifest.is_file():
        cure = "Choose an empty folder for the phantoms, or empty this one"
        raise DatasetError(f"a set of phantoms or nothing in {target}", "something else", cure)
    try:
        noted = json.loads(manifest.read_text(encoding="utf-8"))
        files = dict(noted["files"])
        same = noted["drawn_with"] == drawn_with
    except (OSError, ValueError, KeyError, TypeError):
        return f"{MANIFEST} is not readable"
    if not same:
        cure = "Choose another folder, or remove this one"
        raise DatasetError(f"phantoms drawn with {drawn_with} in {target}", f"{noted['drawn_with']}", cure)
    present = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()} - {MANIFEST}
    strangers = sorted(present - set(files))
    if strangers:
        found = f"{len(strangers)} other files"
        raise DatasetError(f"phantoms alone in {target}", found, "Move them elsewhere", strangers)
    bad = [name for name, digest in files.items() if name not in present or _digest(target / name) != digest]
    return f"{len(bad)} of {len(files)} files changed or missing, {bad[0]} first" if bad else None


def _draw_into_place(target: Path, drawn_with: dict[str, int]) -> None:
    """Draws a set beside ``target`` and moves it there, unless another process was faster."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    aside = beside.with_suffix(".old")
    try:
        _draw_set(beside, drawn_with)
        damage = _find_damage(target, drawn_with)
        if damage is None:
            return
        if damage:
            os.replace(target, aside)
        elif target.exists():
            target.rmdir()
        os.replace(beside, target)
    except OSError:
        if _find_damage(target, drawn_with) is not None:
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def _draw_set(folder: Path, drawn_with: dict[str, int]) -> None:
    files = {}
    for label in FINDINGS:
        (folder / label).mkdir(parents=True)
        for number in range(drawn_with["images_per_class"]):
            name = f"{label}/{label}_{number:03d}.png"
            picture = draw_phantom(label, number, size=drawn_with["size"], seed=drawn_with["seed"])
            Image.fromarray(picture).save(folder / name)
            files[name] = _digest(folder / name)
    manifest = {"drawn_with": drawn_with, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _digest(file: Path) -> str:
    """Returns the SHA-256 of a file, "" if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
