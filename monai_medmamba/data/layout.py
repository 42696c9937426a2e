"""From a path to the images it lists: which layout it is."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.folders import list_child_folders, list_folders
from monai_medmamba.data.medmnist_file import ARRAY_SUFFIX
from monai_medmamba.data.medmnist_images import TABLE, unpack_medmnist
from monai_medmamba.data.medmnist_names import names_for
from monai_medmamba.data.table import TABLE_SUFFIXES, find_table, list_table, lists_images

logger = logging.getLogger(__name__)


class Listed(NamedTuple):
    """The images of a data set.

    Args:
        root: Absolute path of the folder that holds them.
        entries: The images.
        label_names: Names of labels that are known without being told.
        several_labels: Whether a label is a 0 or 1 for each class, with blanks between them.
    """

    root: Path
    entries: list[Entry]
    label_names: dict[str, str]
    several_labels: bool = False


def list_entries(
    dataset_dir: str | os.PathLike[str],
    csv: str | os.PathLike[str] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
    folders_count: bool = False,
) -> Listed:
    """Lists the images of a folder, of a table, or of a MedMNIST file.

    Args:
        dataset_dir: The folder; a CSV or TSV file in it; or an ``.npz`` file of MedMNIST's form, which is unpacked in
            the user's cache folder. A folder may hold one such file and nothing else.
        csv: The table of a folder, relative to the working directory or to it; None looks for one.
        columns: As ``list_table`` takes it; so are the following.
        path_form: How the table's value becomes a path.
        split_names: What the table calls the splits.
        folders_count: Whether a folder in a class folder is an item, as a file is; else it is refused.

    Returns:
        The images and where they are.

    Raises:
        DatasetError: There is nothing to list, or it is not clear what.
    """
    root = Path(os.path.abspath(os.path.expanduser(dataset_dir)))
    table = None
    packed = _only_arrays(root)
    if packed is not None:
        if csv or columns or path_form or split_names:
            cure = "Leave out csv, columns, path_form and split_names: the file tells labels and splits itself"
            raise DatasetError(f"nothing about a table beside {packed}", "some", cure)
        root = unpack_medmnist(packed)
        entries = list_table(root, root / TABLE)
        several = bool(entries) and " " in entries[0].label
        return Listed(root, entries, names_for(packed.name), several)
    if root.is_file() and root.suffix.lower() in TABLE_SUFFIXES:
        root, table = root.parent, root
    elif not root.is_dir():
        found = "a file" if root.exists() else "nothing there"
        raise DatasetError(f"a folder {root}", found, "Check the path; unpack an archive first")
    elif csv is not None:
        named = Path(os.path.expanduser(csv))
        table = named if named.is_file() else root / named
    else:
        table = _only_table(root, bool(columns))
    if table is not None:
        entries = list_table(root, table, columns=columns, path_form=path_form, split_names=split_names)
        return Listed(root, entries, {})
    if columns or path_form or split_names:
        raise DatasetError(f"one table in {root} that lists the images", "none or several", "Name it with csv")
    return Listed(root, list_folders(root, folders_count), {})


def _only_arrays(path: Path) -> Path | None:
    """Returns the ``.npz`` file that is meant: the path itself, or the one file of a folder."""
    if path.is_file():
        return path if path.suffix.lower() == ARRAY_SUFFIX else None
    files = [child for child in path.iterdir() if not child.name.startswith(".")] if path.is_dir() else []
    return files[0] if len(files) == 1 and files[0].suffix.lower() == ARRAY_SUFFIX else None


def _only_table(root: Path, columns_named: bool) -> Path | None:
    """Returns the table that lists the images, if there is one alone and it does."""
    found = find_table(root)
    if found is None:
        return None
    if columns_named or not list_child_folders(root) or lists_images(found):
        logger.info("The table %s lists the images.", found)
        return found
    logger.info("The table %s has no path and label columns: the folders list the images.", found)
    return None
