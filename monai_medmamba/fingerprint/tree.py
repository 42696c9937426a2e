"""The files below a folder, by what reads them, with whatever is odd about their names and places."""

from __future__ import annotations

import os
from pathlib import Path

from ..data.folders import LITTER
from ..data.medmnist_file import ARRAY_SUFFIX
from ..picture_formats import SUFFIXES
from .item import DICOM, NIFTI, PICTURE, Remark

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
ARRAY_SUFFIXES = (ARRAY_SUFFIX,)
MAGIC = {
    b"\x89PNG\r\n\x1a\n": PICTURE,
    b"\xff\xd8\xff": PICTURE,
    b"BM": PICTURE,
    b"II*\0": PICTURE,
    b"MM\0*": PICTURE,
    b"GIF8": PICTURE,
}
"""How the files of pictures begin; a GIF is listed, so that its refusal is named."""


def walk(root: Path) -> tuple[list[str], list[Remark]]:
    """Lists the files below a folder.

    Hidden files and folders are left out, and what operating systems leave behind. Links to folders are not followed;
    links to files are, and those that lead outside the folder are remarked on.

    Returns:
        Paths relative to ``root`` with forward slashes, sorted, and remarks on links and on folders that cannot be
        read.
    """
    remarks: list[Remark] = []
    found: list[str] = []
    real_root = os.path.realpath(root)

    def relative(path: str) -> str:
        return os.path.relpath(path, root).replace(os.sep, "/")

    def note(error: OSError) -> None:
        remarks.append(Remark("unreadable_folder", relative(str(error.filename)), error.strerror or str(error)))

    for parent, folders, names in os.walk(root, onerror=note):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in folders:
            path = os.path.join(parent, name)
            if os.path.islink(path):
                remarks.append(Remark("linked_folder", relative(path)))
        for name in names:
            path = os.path.join(parent, name)
            if _is_hidden(name):
                continue
            if os.path.islink(path) and not leads_inside(path, real_root):
                remarks.append(Remark("outside_link", relative(path)))
            found.append(relative(path))
    return sorted(found), remarks


def leads_inside(path: str | os.PathLike[str], real_root: str) -> bool:
    """Tells whether a path, all links followed, lies in a folder that is free of links."""
    return os.path.realpath(path).startswith(os.path.join(real_root, ""))


def kind_of(path: Path) -> str | None:
    """Returns which reader a file is for: by its suffix, else by its first bytes; None where it is no image."""
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES):
        return NIFTI
    if name.endswith(SUFFIXES):
        return PICTURE
    if name.endswith(DICOM_SUFFIXES):
        return DICOM
    if name == "dicomdir" or not path.is_file():  # lists the files of a DICOM medium (PS3.10, section 8)
        return None
    try:
        with path.open("rb") as stream:
            head = stream.read(132)
    except OSError:
        return None
    if head[128:] == b"DICM":
        return DICOM
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in LITTER
