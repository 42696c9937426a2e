"""Folders that are either whole or absent: filled beside their place and moved into it."""

import errno
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 10.0
"""Seconds after which an error is believed that may be another process at work."""
_MOVED = (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST)  # what another process leaves for a moment, or for good


def place_folder(target: Path, fill: Callable[[Path], None], find_damage: Callable[[Path], str | None]) -> None:
    """Fills a folder beside ``target`` and moves it there, unless another process was faster.

    Args:
        target: Where the folder shall stand.
        fill: Makes the folder it is given, and what is in it.
        find_damage: Returns None for a folder that is whole, "" where there is none or an empty one, and else what is
            wrong with it; a damaged folder is replaced.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    aside = beside.with_suffix(".old")
    try:
        fill(beside)
        _move(beside, target, aside, find_damage)
    except OSError:
        if find_damage(target) is not None:
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def _move(beside: Path, target: Path, aside: Path, find_damage: Callable[[Path], str | None]) -> None:
    """Moves a folder to its place; again where another process moves the same at that moment."""
    began = time.monotonic()
    while True:
        try:
            damage = find_damage(target)
            if damage is None:
                return
            if damage:
                os.replace(target, aside)
            elif target.exists():
                target.rmdir()
            os.replace(beside, target)
            return
        except OSError as error:
            if error.errno not in _MOVED or time.monotonic() - began > PATIENCE:
                raise
            shutil.rmtree(aside, ignore_errors=True)
            time.sleep(0.01)
