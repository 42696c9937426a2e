"""A folder of generated files that is made once, whole or not at all, and checked at each use."""

import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monai_medmamba.data.dataset_error import DatasetError

logger = logging.getLogger(__name__)

MANIFEST = ".phantoms.json"
Draw = Callable[[Path], None]


def keep_set(target: Path, drawn_with: Mapping[str, Any], draw: Draw) -> None:
    """Sees to it that a folder holds a set as it was drawn.

    It is drawn beside its place and moved into it when whole, so several processes may ask at once. Each use compares
    every file with the digest that was noted; a set with a changed or missing file is drawn again, with a warning.

    Args:
        target: The set's folder, absolute.
        drawn_with: What the set follows from, JSON-able; noted in the folder.
        draw: Makes the folder it is given, and writes the files of the set into it.

    Raises:
        DatasetError: The folder holds files that were not drawn, or a set drawn with something else.
    """
    damage = _find_damage(target, drawn_with)
    if damage is None:
        return
    if damage:
        logger.warning("The files in %s are damaged (%s); making them again.", target, damage)
    else:
        logger.info("Making %s.", target)
    _make_into_place(target, drawn_with, draw)


def _find_damage(target: Path, drawn_with: Mapping[str, Any]) -> str | None:
    """Returns None for a set that is whole, "" where there is none, and else what is wrong with it."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return ""
    manifest = target / MANIFEST
    if not manifest.is_file():
        cure = "Choose an empty folder for the set, or empty this one"
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


def _make_into_place(target: Path, drawn_with: Mapping[str, Any], draw: Draw) -> None:
    """Makes a set beside ``target`` and moves it there, unless another process was faster."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    aside = beside.with_suffix(".old")
    try:
        _make(beside, drawn_with, draw)
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


def _make(folder: Path, drawn_with: Mapping[str, Any], draw: Draw) -> None:
    draw(folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _digest(path) for path in paths}
    manifest = {"drawn_with": dict(drawn_with), "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _digest(file: Path) -> str:
    """Returns the SHA-256 of a file, "" if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
