"""Lists a data set that a CSV or TSV file describes."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import SPLIT_NAMES, SPLITS, Entry
from monai_medmamba.data.path_form import BLANK, PathForm

COLUMNS = {
    "path": ("path", "image"),
    "label": ("label", "class"),
    "patient": ("patient", "patient_id"),
    "split": ("split",),
}
REQUIRED = ("path", "label")
TABLE_SUFFIXES = (".csv", ".tsv")


def find_table(root: Path) -> Path | None:
    """Returns the CSV or TSV file that lies directly in ``root``, if there is exactly one."""
    tables = [child for child in root.iterdir() if child.suffix.lower() in TABLE_SUFFIXES and child.is_file()]
    return tables[0] if len(tables) == 1 else None


def lists_images(table: Path) -> bool:
    """Tells whether a table has the columns that ``list_table`` needs."""
    rows = read_rows(table)
    return bool(rows) and all(name in find_columns(rows[0]) for name in REQUIRED)


def list_table(
    root: Path,
    table: Path,
    *,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Lists the images that a table names.

    The first row names the columns, in any order and case: path (or image), label (or class), and optionally patient
    (or patient_id) and split. Columns are separated by commas, semicolons or tabs. Other columns are left alone.

    Args:
        root: The folder to which the paths in the table are relative.
        table: The CSV or TSV file, UTF-8.
        columns: The columns for path, label, patient and split, where they have other names.
        path_form: How a value becomes a path, for ``PathForm``; None takes it as it is.
        split_names: The table's names of splits: training, validation or test by name. The usual names are known.

    Returns:
        One entry a row, sorted by path.

    Raises:
        DatasetError: The file cannot be read, lacks a column, or rows lack a value, name an unknown split, or a path
            outside ``root`` or that is not found.
    """
    rows = read_rows(table)
    places = find_columns(rows[0] if rows else [], columns, table)
    missing = [" or ".join(COLUMNS[name]) for name in REQUIRED if name not in places]
    if missing:
        found = f"{', '.join(rows[0]) if rows else 'an empty file'}"
        raise DatasetError(
            f"columns path and label in {table}", found, "Add, rename or name (columns) those missing", missing
        )
    if len(rows) == 1:
        raise DatasetError(f"one row an image in {table}", "column names alone", "Add the rows")
    splits = known_splits(split_names)
    form = PathForm(root, path_form or BLANK)
    known = ", ".join(split_names or ("train", "val", "test"))

    faults: dict[str, list[str]] = defaultdict(list)
    entries = []
    for number, row in enumerate(rows[1:], start=2):
        values = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
        empty = [name for name, value in values.items() if not value]
        written = values.get("split", "")
        split = splits.get(written, splits.get(written.lower()))
        if empty:
            faults["a value in each column"].append(f"row {number}: no {', '.join(empty)}")
            continue
        if "split" in places and split is None:
            faults[f"a known split ({known})"].append(f"row {number}: {written}")
            continue
        try:
            path = form.path(values["path"])
        except LookupError as error:
            faults[f"one file in {root}, by the path form {path_form},"].append(
                f"row {number}: {values['path']}: {error}"
            )
            continue
        if path is None:
            faults[f"paths inside {root}"].append(f"row {number}: {values['path']}")
            continue
        entries.append(Entry(path, values["label"], split, values.get("patient")))
    for expected, offenders in faults.items():
        cure = "Correct the rows, say what their values mean (path_form, split_names), or drop a column not needed"
        raise DatasetError(f"{expected} in {table}", f"{len(offenders)} rows without", cure, offenders)
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


def find_columns(
    header: list[str], columns: Mapping[str, str] | None = None, table: Path | None = None
) -> dict[str, int]:
    """Maps our name of each column to its place.

    Args:
        header: The names in the table; blanks around them and their case do not matter.
        columns: Names in the table by ours, for those that we would not know.
        table: The file, for the message.

    Raises:
        DatasetError: ``columns`` names what neither we nor the table know.
    """
    names = [name.strip().lower() for name in header]
    found = {ours: [names.index(name) for name in theirs if name in names] for ours, theirs in COLUMNS.items()}
    places = {ours: places[0] for ours, places in found.items() if places}
    for ours, theirs in (columns or {}).items():
        if ours not in COLUMNS or theirs.strip().lower() not in names:
            cure = f"Name one of {', '.join(COLUMNS)} and a column of the table, as in path={(header or ['file'])[0]}"
            raise DatasetError(f"columns of {table}", f"{ours}={theirs}", cure, header)
        places[ours] = names.index(theirs.strip().lower())
    return places


def known_splits(split_names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns our name of each split by the names that are usual and those that a table has.

    Raises:
        DatasetError: ``split_names`` gives a name that is not one of ours.
    """
    named = split_names or {}
    wrong = [f"{theirs}: {ours}" for theirs, ours in named.items() if ours not in SPLITS]
    if wrong:
        cure = "Correct split_names, as in {'1': 'training', '0': 'test'}"
        raise DatasetError(f"split names for {', '.join(SPLITS)}", f"{len(wrong)} others", cure, wrong)
    return SPLIT_NAMES | {theirs.strip(): ours for theirs, ours in named.items()}
