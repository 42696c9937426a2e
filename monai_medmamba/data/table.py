"""Lists a data set that a CSV or TSV file describes."""

import csv
import io
import os
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import SPLIT_NAMES, Entry

COLUMNS = {
    "path": ("path", "image"),
    "label": ("label", "class"),
    "patient": ("patient", "patient_id"),
    "split": ("split",),
}
REQUIRED = ("path", "label")


def find_table(root: Path) -> Path | None:
    """Returns the CSV or TSV file that lies directly in ``root``, if there is exactly one."""
    tables = [child for child in root.iterdir() if child.suffix.lower() in (".csv", ".tsv") and child.is_file()]
    return tables[0] if len(tables) == 1 else None


def lists_images(table: Path) -> bool:
    """Tells whether a table has the columns that ``list_table`` needs."""
    rows = read_rows(table)
    return bool(rows) and all(name in find_columns(rows[0]) for name in REQUIRED)


def list_table(root: Path, table: Path) -> list[Entry]:
    """Lists the images that a table names.

    The first row names the columns, in any order and case: path (or image), label (or class), and optionally patient
    (or patient_id) and split. Columns are separated by commas, semicolons or tabs. Other columns are left alone.

    Args:
        root: The folder to which the paths in the table are relative.
        table: The CSV or TSV file, UTF-8.

    Returns:
        One entry a row, sorted by path.

    Raises:
        DatasetError: The file cannot be read, lacks a column, or rows lack a value, name an unknown split, or a path
            outside ``root``.
    """
    rows = read_rows(table)
    columns = find_columns(rows[0]) if rows else {}
    missing = [" or ".join(COLUMNS[name]) for name in REQUIRED if name not in columns]
    if missing:
        found = f"{', '.join(rows[0]) if rows else 'an empty file'}"
        raise DatasetError(f"columns path and label in {table}", found, "Add or rename the columns missing", missing)
    if len(rows) == 1:
        raise DatasetError(f"one row an image in {table}", "column names alone", "Add the rows")

    faults: dict[str, list[str]] = {"a value in each column": [], "a known split": [], f"paths inside {root}": []}
    entries = []
    for number, row in enumerate(rows[1:], start=2):
        values = {name: row[column].strip() if column < len(row) else "" for name, column in columns.items()}
        empty = [name for name, value in values.items() if not value]
        path = relative_path(root, values["path"])
        split = SPLIT_NAMES.get(values.get("split", "").lower())
        if empty:
            faults["a value in each column"].append(f"row {number}: no {', '.join(empty)}")
        elif "split" in columns and split is None:
            faults["a known split"].append(f"row {number}: {values['split']}")
        elif path is None:
            faults[f"paths inside {root}"].append(f"row {number}: {values['path']}")
        else:
            entries.append(Entry(path, values["label"], split, values.get("patient")))
    for expected, offenders in faults.items():
        if offenders:
            found = f"{len(offenders)} rows without"
            cure = "Correct the rows (splits are train, val and test), or drop a column that is not needed"
            raise DatasetError(f"{expected} in {table}", found, cure, offenders)
    return sorted(entries, key=lambda entry: entry.path)


def read_rows(table: Path) -> list[list[str]]:
    """Returns the rows that hold anything, the first with the names of the columns.

    Raises:
        DatasetError: The file cannot be read, or is no UTF-8 CSV.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max("\t;,", key=first.count)
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        cure = "Check the path, and save the file as UTF-8 CSV"
        raise DatasetError(f"a readable table {table}", str(error), cure) from error


def find_columns(header: list[str]) -> dict[str, int]:
    """Maps our name of each column to its place."""
    names = [name.strip().lower() for name in header]
    found = {ours: [names.index(name) for name in theirs if name in names] for ours, theirs in COLUMNS.items()}
    return {ours: places[0] for ours, places in found.items() if places}


def relative_path(root: Path, path: str) -> str | None:
    """Returns the path relative to ``root`` with forward slashes; None where it leads outside."""
    absolute = os.path.normpath(root / path.replace("\\", "/"))
    try:
        return Path(absolute).relative_to(os.path.normpath(root)).as_posix()
    except ValueError:
        return None
