"""Keeps a drawn data set in a folder: draws it once, and checks it at each use."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.whole_folder import place_folder

logger = logging.getLogger(__name__)

MANIFEST = ".phantoms.json"


def keep_set(target: Path, drawn_with: Mapping[str, object], draw: Callable[[Path], None]) -> None:
    """Draws a set into a folder unless it is there, whole and drawn with the same arguments.

    Args:
        target: The folder.
        drawn_with: What decides how the set looks, as JSON can hold it.
        draw: Makes the folder it is given, and draws the set into it.

    Raises:
        DatasetError: The folder holds files that were not drawn here, or a set drawn with other arguments.
    """
    damage = _find_damage(target, drawn_with)
    if damage is None:
        return
    if damage:
        logger.warning("The phantoms in %s are damaged (%s); drawing them again.", target, damage)
    else:
        logger.info("Drawing phantoms into %s.", target)

    def fill(folder: Path) -> None:
        draw(folder)
        files = {path.relative_to(folder).as_posix(): _digest(path) for path in folder.rglob("*") if path.is_file()}
        manifest = {"drawn_with": drawn_with, "files": files}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")

    place_folder(target, fill, lambda folder: _find_damage(folder, drawn_with))


def _find_damage(target: Path, drawn_with: Mapping[str, object]) -> str | None:
    """Returns None for a set that is whole, "" where there is none, and else what is wrong with it."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return ""
    manifest = target / MANIFEST
    if not manifest.is_file():
        if not target.exists():  # another process has just moved it
            return ""
        cure = "Choose an empty folder for the phantoms, or empty this one"
        raise DatasetError(f"a set of phantoms or nothing in {target}", "something else", cure)
    try:
        noted = json.loads(manifest.read_text(encoding="utf-8"))
        files = dict(noted["files"])
        same = noted["drawn_with"] == dict(drawn_with)
    except (OSError, ValueError, KeyError, TypeError):
        return f"{MANIFEST} is not readable"
    if not same:
        cure = "Choose another folder, or remove this one"
        raise DatasetError(f"phantoms drawn with {dict(drawn_with)} in {target}", f"{noted['drawn_with']}", cure)
    present = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()} - {MANIFEST}
    strangers = sorted(present - set(files))
    if strangers:
        found = f"{len(strangers)} other files"
        raise DatasetError(f"phantoms alone in {target}", found, "Move them elsewhere", strangers)
    bad = [name for name, digest in files.items() if name not in present or _digest(target / name) != digest]
    return f"{len(bad)} of {len(files)} files changed or missing, {bad[0]} first" if bad else None


def _digest(file: Path) -> str:
    """Returns the SHA-256 of a file, "" if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
