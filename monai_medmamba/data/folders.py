"""Lists a data set that is laid out in folders: one a class, perhaps inside one a split."""

import os
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import SPLIT_NAMES, Entry

LITTER = {"thumbs.db", "desktop.ini", "__macosx"}  # what operating systems leave behind


def list_child_folders(root: Path) -> list[Path]:
    """Returns the folders directly in ``root``, sorted by name, hidden ones aside."""
    return [child for child in _children(root) if child.is_dir()]


def list_folders(root: Path, folders_count: bool = False) -> list[Entry]:
    """Lists the images of ``root/<class>/`` or of ``root/<split>/<class>/``.

    Split folders are called train or training, val, valid or validation, and test or testing, in any case. Every file
    in a class folder counts as an image, hidden files aside.

    Args:
        root: The data set's folder.
        folders_count: Whether a folder in a class folder is an entry, as a file is.

    Returns:
        One entry an image, sorted by path; ``split`` is None in the layout without split folders.

    Raises:
        DatasetError: A folder is missing, unreadable or empty, class folders hold folders, or a layout is mixed.
    """
    folders = list_child_folders(root)
    split_folders = [folder for folder in folders if folder.name.lower() in SPLIT_NAMES]
    if not split_folders:
        return _list_classes(root, folders, None, folders_count)
    if len(split_folders) < len(folders):
        others = [folder.name for folder in folders if folder not in split_folders]
        cure = "Move the others out of the data set's folder"
        raise DatasetError(f"only train, val and test folders in {root}", f"{len(others)} others", cure, others)
    splits = [SPLIT_NAMES[folder.name.lower()] for folder in split_folders]
    if len(set(splits)) < len(splits):
        names = [folder.name for folder in split_folders]
        raise DatasetError(f"one folder a split in {root}", "two for one split", "Join them", names)
    entries = []
    for split, folder in zip(splits, split_folders, strict=True):
        entries += _list_classes(root, list_child_folders(folder), split, folders_count)
    return entries


def _list_classes(root: Path, folders: list[Path], split: str | None, folders_count: bool) -> list[Entry]:
    files = {folder: _children(folder) for folder in folders}
    nested = [child.relative_to(root).as_posix() for children in files.values() for child in children if child.is_dir()]
    if nested and not folders_count:
        raise DatasetError(
            f"images directly in each class folder of {root}",
            f"{len(nested)} folders inside class folders",
            "Name the folder that holds the class folders, or move the images up, or list them in a CSV file",
            nested,
        )
    empty = [folder.relative_to(root).as_posix() for folder, children in files.items() if not children]
    if empty:
        found = f"{len(empty)} empty folders"
        raise DatasetError(f"images in each class folder of {root}", found, "Fill or remove them", empty)
    return [
        Entry(child.relative_to(root).as_posix(), folder.name, split)
        for folder, children in files.items()
        for child in children
    ]


def _children(folder: Path) -> list[Path]:
    """Returns what a folder holds, sorted by name, without hidden files."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        found = f"{error.strerror or error}"
        raise DatasetError(f"a readable folder {folder}", found, "Check the path and its permissions") from error
    return [folder / name for name in names if not name.startswith(".") and name.lower() not in LITTER]
