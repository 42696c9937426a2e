"""What a run's data list and table say of its images: patients, splits, repeated files, groups."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .subgroups import MOST_VALUES

NAMES = ("evaluation/datalist.json", "datalist.json")
IMAGES_A_VALUE = 5
IDENTITY = re.compile(r"name|patient|subject|birth|date|mrn|accession|uid|(^|_)id($|_)", re.IGNORECASE)
"""Columns of such names may tell who somebody is: none is taken unless it is asked for."""


class RunData:
    """The data list that a run left in its folder.

    Args:
        run_dir: folder that holds `evaluation/datalist.json` or `datalist.json`; without either nothing is known.

    Raises:
        ValueError: the list is damaged; the message names it.

    Example:
        >>> RunData("no such run").patients(["a.png"]) is None
        True
    """

    def __init__(self, run_dir: str | Path) -> None:
        from ..data.entry import SPLITS  # here, not above: the room loads MONAI, which loads much that is optional

        found = [path for name in NAMES if (path := Path(run_dir) / name).is_file()]
        self.splits: dict[str, dict[str, str | None]] = {}
        self.root: Path | None = None
        if not found:
            return
        try:
            content = json.loads(found[0].read_text(encoding="utf-8"))
            self.root = Path(content["root"])
            for split in SPLITS:
                self.splits[split] = {str(self.root / item["image"]): item.get("patient") for item in content[split]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{found[0]} is no data list ({type(error).__name__}: {error}); evaluate again") from error

    def patients(self, images: Sequence[str]) -> list[str | None] | None:
        """Return the patient of each image, None where unknown; None when no patient is known at all."""
        known = {image: patient for listed in self.splits.values() for image, patient in listed.items()}
        found = [known.get(image) for image in images]
        return found if any(patient is not None for patient in found) else None

    def facts(self) -> dict[str, Any] | None:
        """Return counts by split, the level of the split and how many files are repeated; None without a list.

        Files are the same where all their bytes are; None for the counts of repeats where the images are not there.
        """
        if not self.splits:
            return None
        patients = {split: {p for p in listed.values() if p is not None} for split, listed in self.splits.items()}
        everyone = Counter(patient for part in patients.values() for patient in part)
        return {
            "splits": {
                split: {"images": len(listed), "patients": len(patients[split]) or None}
                for split, listed in self.splits.items()
            },
            "level": "patient" if everyone else "image",
            "patients_in_two_splits": sum(count > 1 for count in everyone.values()) if everyone else None,
            "repeated_files": self._repeats(),
        }

    def _repeats(self) -> dict[str, int] | None:
        by_size: dict[int, list[tuple[str, str]]] = defaultdict(list)
        try:
            for split, listed in self.splits.items():
                for image in listed:
                    by_size[os.path.getsize(image)].append((split, image))
            by_content: dict[str, list[str]] = defaultdict(list)
            for alike in by_size.values():
                for split, image in alike if len(alike) > 1 else ():
                    by_content[hashlib.sha256(Path(image).read_bytes()).hexdigest()].append(split)
        except OSError:
            return None
        groups = [splits for splits in by_content.values() if len(splits) > 1]
        return {
            "within_a_split": sum(len(group) - len(set(group)) for group in groups),
            "across_splits": sum(len(set(group)) > 1 for group in groups),
        }

    def columns(
        self, images: Sequence[str], table: str | Path | None = None, names: Sequence[str] | None = None
    ) -> dict[str, list[str | None]]:
        """Return the columns by which images can be parted into groups.

        Args:
            images: paths, as in the predictions.
            table: CSV or TSV file with a column path (or image); None takes the one that lies in the data's folder.
            names: the columns; None takes every column beside path, label, patient and split that has from 2 to 12
                different values, not more than one for each 5 images, and whose name does not speak of identity.

        Returns:
            Column name to the value of each image, None where the table has none.

        Raises:
            ValueError: the table cannot be read, lacks the column of paths or one of `names`.
        """
        from ..data.dataset_error import DatasetError
        from ..data.table import COLUMNS, find_columns, find_table, read_rows

        if table is None:
            table = find_table(self.root) if self.root is not None and self.root.is_dir() else None
        if table is None:
            if names:
                raise ValueError(f"columns {', '.join(names)}: no table is known; name it as well")
            return {}
        path = Path(table)
        try:
            rows = read_rows(path)
        except DatasetError as error:
            raise ValueError(str(error)) from error
        header = [name.strip() for name in rows[0]] if rows else []
        place = find_columns(header).get("path")
        if place is None:
            if names is None:
                return {}
            raise ValueError(f"{path}: expected a column path or image, got {', '.join(header) or 'nothing'}")
        missing = [name for name in names or () if name not in header]
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}; it has {', '.join(header)}")
        root = self.root or path.parent
        by_image = {str(root / found): row for row in rows[1:] if (found := _relative(root, row, place)) is not None}
        taken = {name for group in COLUMNS.values() for name in group}
        columns = {}
        for name in names or [name for name in header if name and name.lower() not in taken]:
            where = header.index(name)
            values = [_cell(by_image.get(image), where) for image in images]
            different = len({value for value in values if value})
            few = 2 <= different <= min(MOST_VALUES, max(2, len(images) // IMAGES_A_VALUE))
            if names or (few and not IDENTITY.search(name)):
                columns[name] = values
        return columns


def _relative(root: Path, row: Sequence[str], place: int) -> str | None:
    from ..data.path_form import relative_path

    cell = _cell(row, place)
    return relative_path(root, cell) if cell else None


def _cell(row: Sequence[str] | None, place: int) -> str | None:
    return row[place].strip() if row is not None and place < len(row) else None
