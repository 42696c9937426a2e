"""Which files a user means who names files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..data.volume_content import find_volumes as volumes_below
from ..picture_formats import SUFFIXES
from ..transforms import is_dicom

__all__ = ["Failure", "find_pictures", "find_volumes"]

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
DICOM_DIRECTORY = "DICOMDIR"  # lists the files of a DICOM medium (PS3.10, section 8), and is none of them


class Failure(NamedTuple):
    """A file that was not classified.

    Args:
        image: Its path, or what the user wrote.
        reason: What is wrong, and the cure.

    Example:
        >>> Failure("a.png", "no such file").reason
        'no such file'
    """

    image: str
    reason: str


def find_pictures(names: Sequence[str | os.PathLike[str]]) -> tuple[list[str], list[Failure]]:
    """Lists the pictures that files, folders and patterns name.

    A file counts whatever it is called. In a folder, searched at any depth, a file counts if its suffix is that of a
    picture or of DICOM, or if its content begins as DICOM does; hidden files and folders are left out, and
    links to folders not followed. A name that is neither file nor folder is a pattern with ``*``, ``?``, ``[...]`` and
    ``**``; each match counts as if it were named.

    Args:
        names: Paths and patterns; ``~`` is expanded.

    Returns:
        The paths in the order of ``names``, each once, those of a folder or pattern sorted; and the names that led to
        no picture, and folders that could not be read.

    Example:
        >>> find_pictures(["nothing.png"])[1]
        [Failure(image='nothing.png', reason='there is no such file or folder: check the path')]
    """
    return _find(names, _search)


def find_volumes(names: Sequence[str | os.PathLike[str]]) -> tuple[list[str], list[Failure]]:
    """Lists the volumes that files, folders and patterns name.

    A file counts whatever it is called. A folder is searched at any depth for NIfTI files, DICOM files of several
    frames and folders with a DICOM series; it may be such a folder itself. Patterns are those of ``find_pictures``.

    Args:
        names: Paths and patterns; ``~`` is expanded.

    Returns:
        The paths in the order of ``names``, each once, those of a folder or pattern sorted; and the names that led to
        no volume.

    Example:
        >>> find_volumes(["nothing.nii"])[1]
        [Failure(image='nothing.nii', reason='there is no such file or folder: check the path')]
    """
    return _find(names, _search_volumes)


Search = Callable[[str, list[Failure]], Iterator[str]]


def _find(names: Sequence[str | os.PathLike[str]], search: Search) -> tuple[list[str], list[Failure]]:
    found: dict[str, str] = {}
    failures: list[Failure] = []
    for name in names:
        for path in _expand(os.path.expanduser(os.fspath(name)), search, failures):
            found.setdefault(os.path.abspath(path), path)
    return list(found.values()), failures


def _expand(name: str, search: Search, failures: list[Failure]) -> Iterator[str]:
    """Yields what one name stands for, and notes what is wrong with it."""
    if os.path.isdir(name):
        yield from search(name, failures)
    elif os.path.lexists(name):
        yield name
    elif not glob.has_magic(name):
        failures.append(Failure(name, "there is no such file or folder: check the path"))
    else:
        matches = sorted(glob.glob(name, recursive=True))
        if not matches:
            failures.append(Failure(name, "nothing matches this pattern: check it, and the folder it starts in"))
        for match in matches:
            yield from _expand(match, search, failures)


def _search(folder: str, failures: list[Failure]) -> Iterator[str]:
    """Yields the pictures below a folder, sorted by path."""
    failed = len(failures)

    def note(error: OSError) -> None:
        failures.append(Failure(str(error.filename), f"{error.strerror}: check the folder's permissions"))

    files = []
    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [os.path.join(parent, name) for name in names if not name.startswith(".")]
    pictures = [file for file in sorted(files) if _is_picture(file)]
    if not pictures and failed == len(failures):
        endings = ", ".join((*SUFFIXES, *DICOM_SUFFIXES))
        failures.append(Failure(folder, f"no picture in this folder: expected {endings}, or DICOM files by any name"))
    yield from pictures


def _search_volumes(folder: str, failures: list[Failure]) -> Iterator[str]:
    """Yields the volumes below a folder, sorted by path."""
    volumes = volumes_below(Path(folder))
    if not volumes:
        failures.append(Failure(folder, "no volume in this folder: expected .nii or .nii.gz files, or DICOM series"))
    yield from map(str, volumes)


def _is_picture(file: str) -> bool:
    if file.lower().endswith((*SUFFIXES, *DICOM_SUFFIXES)):
        return True
    if os.path.basename(file) == DICOM_DIRECTORY or not os.path.isfile(file):
        return False
    try:
        return is_dicom(file)
    except OSError:
        return True  # what it is cannot be told: reading it will say why
