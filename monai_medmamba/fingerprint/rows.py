"""Lists the images that a CSV or TSV file names, going on past rows that are wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..data import DatasetError
from ..data.path_form import BLANK, PathForm
from ..data.table import find_columns, known_splits, read_rows
from .item import PICTURE, SERIES, Item, Listing, Remark
from .tree import kind_of, leads_inside, walk


def list_rows(
    root: Path,
    table: Path,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
    join_slices: bool = False,
) -> Listing:
    """Lists the images of a table as ``build_datalist`` does, with a remark on each row that it would refuse.

    Args:
        root: The folder to which paths are relative. A path that leads outside is remarked on and never opened.
        table: The file.
        columns: Names of columns, where they differ from the usual ones.
        path_form: How a value becomes a path, as ``build_datalist`` takes it.
        split_names: What the table calls the splits.
        join_slices: Whether a path may name a folder of DICOM files.

    Returns:
        One item a file, and remarks on rows and on files that no row names.

    Raises:
        DatasetError: The table cannot be read, or has no column of paths; or a setting does not fit it.
    """
    rows = read_rows(table)
    header = rows[0] if rows else []
    places = find_columns(header, columns, table)
    if "path" not in places:
        cure = "Rename it, or name it as in --column path=file"
        raise DatasetError(f"a column path or image in {table}", ", ".join(header) or "an empty file", cure)

    form, splits = PathForm(root, path_form or BLANK), known_splits(split_names)
    remarks: list[Remark] = []
    items: dict[str, Item] = {}
    real_root = os.path.realpath(root)
    for number, row in enumerate(rows[1:], start=2):
        values = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
        try:
            path = form.path(values["path"]) if values["path"] and "\0" not in values["path"] else None
        except LookupError as error:
            remarks.append(Remark("not_found_once", f"row {number}", f"{values['path']}: {error}"))
            continue
        if path is None:
            code = "outside_path" if values["path"] else "empty_row"
            remarks.append(Remark(code, f"row {number}", values["path"]))
            continue
        item = _item(root, path, values, splits)
        if join_slices and (root / path).is_dir():
            item = replace(item, kind=SERIES)
        if "split" in places and item.split is None:
            remarks.append(Remark("unknown_split", path, f"row {number}: {values['split'] or 'empty'}"))
        if "label" in places and item.label is None:
            remarks.append(Remark("unlabelled", path, f"row {number}"))
        if os.path.islink(root / path) and not leads_inside(root / path, real_root):
            remarks.append(Remark("outside_link", path))
        earlier = items.setdefault(path, item)
        if earlier is not item:
            same = (earlier.label, earlier.split, earlier.patient) == (item.label, item.split, item.patient)
            remarks.append(Remark("repeated_row" if same else "contradicting_row", path, f"row {number}"))
    listed, other = set(items), []
    folders = tuple(f"{item.path}/" for item in items.values() if item.kind == SERIES)
    names, found = walk(root)
    for name in names:
        if name not in listed and root / name != table and not name.startswith(folders):
            other.append(name)
            if kind_of(root / name) is not None:
                remarks.append(Remark("not_in_table", name))
    labels_from = "table" if "label" in places else "nothing"
    ordered = sorted(items.values(), key=lambda item: item.path)
    return Listing(str(root), "table", labels_from, ordered, other, remarks + found)


def _item(root: Path, path: str, values: Mapping[str, str], splits: Mapping[str, str]) -> Item:
    written = values.get("split", "")
    split = splits.get(written, splits.get(written.lower()))
    return Item(
        path, kind_of(root / path) or PICTURE, values.get("label") or None, split, values.get("patient") or None
    )
