"""Folders that are either whole or absent: filled beside their place and moved into it."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path


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
        damage = find_damage(target)
        if damage is None:
            return
        if damage:
            os.replace(target, aside)
        elif target.exists():
            target.rmdir()
        os.replace(beside, target)
    except OSError:
        if find_damage(target) is not None:
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
