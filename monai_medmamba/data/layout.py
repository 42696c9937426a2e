"""From a path to the images it lists: which layout it is."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.folders import list_child_folders, list_folders
from monai_medmamba.data.table import TABLE_SUFFIXES, find_table, list_table, lists_images

logger = logging.getLogger(__name__)


def list_entries(
    dataset_dir: str | os.PathLike[str],
    csv: str | os.PathLike[str] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
) -> tuple[Path, list[Entry]]:
    """Lists the images of a folder or of a table.

    Args:
        dataset_dir: The folder, or a CSV or TSV file in it.
        csv: The table of a folder, relative to the working directory or to it; None looks for one.
        columns: As ``list_table`` takes it; so are the following.
        path_form: How the table's value becomes a path.
        split_names: What the table calls the splits.

    Returns:
        The absolute path of the folder, and the images.

    Raises:
        DatasetError: There is nothing to list, or it is not clear what.
    """
    root = Path(os.path.abspath(os.path.expanduser(dataset_dir)))
    table = None
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
        return root, list_table(root, table, columns=columns, path_form=path_form, split_names=split_names)
    if columns or path_form or split_names:
        raise DatasetError(f"one table in {root} that lists the images", "none or several", "Name it with csv")
    return root, list_folders(root)


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
