"""From what a table calls an image to the path of its file."""

import os
from collections import defaultdict
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.folders import LITTER

BLANK = "{}"
BELOW = "**/"


class PathForm:
    """Turns a table's value into the path of a file.

    ``Images/{}.png`` puts the value in the place of the braces. ``**/{}`` finds the file at any depth below the data
    set's folder, and ``photos/**/{}`` below ``photos``; hidden files are not looked at. The value is taken as it
    stands: nothing in it is a pattern.

    Args:
        root: The data set's folder.
        form: The form, with ``{}`` once.

    Raises:
        DatasetError: The form has no ``{}`` or several, or ``**/`` in another place than before the file.
    """

    def __init__(self, root: Path, form: str = BLANK) -> None:
        folder, below, rest = form.partition(BELOW) if BELOW in form else ("", "", form)
        if form.count(BLANK) != 1 or BLANK not in rest or "**" in rest or folder[-1:] not in ("", "/"):
            cure = "Write it as in Images/{}.png, or **/{} for files that lie in several folders"
            raise DatasetError("a path form with {} once", repr(form), cure)
        self.root = root
        self.searched = bool(below)
        self.rest = rest
        self.found = _files_below(root, folder) if below else {}

    def path(self, value: str) -> str | None:
        """Returns the path relative to the data set's folder, with forward slashes; None where it leads outside.

        Raises:
            LookupError: The file is looked for, and there is none or more than one; the message says which.
        """
        wanted = self.rest.replace(BLANK, value).replace("\\", "/")
        if not self.searched:
            return relative_path(self.root, wanted)
        named = self.found.get(wanted.rpartition("/")[2], [])
        met = [path for path in named if f"/{path}".endswith(f"/{wanted}")]
        if len(met) != 1:
            raise LookupError(" = ".join(met) if met else "no such file")
        return met[0]


def relative_path(root: Path, path: str) -> str | None:
    """Returns the path relative to ``root`` with forward slashes; None where it leads outside."""
    absolute = os.path.normpath(root / path.replace("\\", "/"))
    try:
        return Path(absolute).relative_to(os.path.normpath(root)).as_posix()
    except ValueError:
        return None


def _files_below(root: Path, folder: str) -> dict[str, list[str]]:
    """Returns the files below a folder, as paths relative to ``root``, by their name."""
    found: dict[str, list[str]] = defaultdict(list)
    for parent, folders, names in os.walk(root / folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name.lower() not in LITTER)
        for name in sorted(names):
            if not name.startswith("."):
                found[name].append(os.path.relpath(os.path.join(parent, name), root).replace(os.sep, "/"))
    return found
