"""A code for each class: from a table of the user's, or in a private scheme made of the class names."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["PRIVATE_SCHEME", "Code", "class_codes"]

PRIVATE_SCHEME = "99MEDMAMBA"
"""Of classes that no table gives a code; private designators begin with 99 (PS3.16, section 8.2)."""

COLUMNS = ("class", "value", "scheme", "meaning")
_SHORT, _LONG = 16, 64  # characters of an SH and of an LO (PS3.5, table 6.2-1)
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,16}")


class Code(NamedTuple):
    """A coded concept (PS3.16, section 8).

    Args:
        value: In its scheme, such as ``"68496003"``.
        scheme: Designator, such as ``"SCT"`` for SNOMED CT.
        meaning: For people to read, such as ``"polyp"``.

    Example:
        >>> Code("68496003", "SCT", "Polyp").scheme
        'SCT'
    """

    value: str
    scheme: str
    meaning: str


def class_codes(class_names: Sequence[str], table: str | os.PathLike[str] | None = None) -> dict[str, Code]:
    """Returns the code of each class.

    Without a table, a class is coded in the private scheme ``99MEDMAMBA``: its meaning is its name, and its value the
    name too, where that is a plain word of at most 16 characters; otherwise what of it is plain, with six digits of
    the name's SHA-256, so that the same name always has the same code.

    Args:
        class_names: The names of the classes.
        table: A CSV file with the columns class, value, scheme and meaning, or a JSON file
            ``{"polyp": {"value": "68496003", "scheme": "SCT", "meaning": "Polyp"}}``. It may hold further classes.

    Returns:
        A code for each name, in the order of the names.

    Raises:
        FileNotFoundError: There is no such table.
        ValueError: The table is no such file, lacks a class, or gives two the same code; or a value, scheme or meaning
            is empty, too long (64, 16 and 64 characters), or holds a backslash or control characters.

    Example:
        >>> class_codes(["polyp", "foreign body / clip"])["foreign body / clip"].value
        'foreign-b-f4ac77'
    """
    codes = _private(class_names) if table is None else _from_table(class_names, Path(table))
    where = "the class names" if table is None else os.fspath(table)
    for name, code in codes.items():
        _check(where, name, code)
    taken: dict[tuple[str, str], str] = {}
    for name, code in codes.items():
        other = taken.setdefault((code.value, code.scheme), name)
        if other != name:
            raise ValueError(
                f"{where}: expected a code of its own for each class, got {code.value} ({code.scheme}) for "
                f"{other!r} and for {name!r}; correct the table of codes"
            )
    return codes


def _private(class_names: Sequence[str]) -> dict[str, Code]:
    return {name: Code(_private_value(name), PRIVATE_SCHEME, name) for name in class_names}


def _private_value(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:9]
    return f"{plain}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}".lstrip("-")


def _from_table(class_names: Sequence[str], table: Path) -> dict[str, Code]:
    rows = _read_json(table) if table.suffix.lower() == ".json" else _read_csv(table)
    missing = [name for name in class_names if name not in rows]
    if missing:
        raise ValueError(f"{table}: expected a code for each class, got none for {', '.join(missing)}; add a row")
    return {name: rows[name] for name in class_names}


def _read_json(table: Path) -> dict[str, Code]:
    try:
        content = json.loads(table.read_text(encoding="utf-8"))
        return {name: _code(row) for name, row in content.items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        form = '{"class name": {"value": "...", "scheme": "...", "meaning": "..."}}'
        raise ValueError(f"{table}: expected {form}, got something else ({type(error).__name__}: {error})") from error


def _read_csv(table: Path) -> dict[str, Code]:
    with table.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        try:
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise ValueError(f"the columns {reader.fieldnames}")
            rows = [(reader.line_num, row) for row in reader]
            twice = {row["class"] for _, row in rows if sum(row["class"] == other["class"] for _, other in rows) > 1}
            if twice:
                raise ValueError(f"two rows for {', '.join(sorted(map(str, twice)))}")
            return {row["class"]: _code(row) for _, row in rows}
        except (ValueError, TypeError, csv.Error) as error:
            wanted = f"a CSV file with the columns {', '.join(COLUMNS)}, one row a class"
            raise ValueError(f"{table}: expected {wanted}; got {error}") from error


def _code(row: Mapping[str, Any]) -> Code:
    values = [row[name] for name in COLUMNS[1:]]
    if not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected value, scheme and meaning as text, got {values}")
    return Code(*(value.strip() for value in values))


def _check(where: str, name: str, code: Code) -> None:
    """Refuses what a code sequence cannot hold (PS3.3, table 8.8-1); a value beyond 16 becomes a Long Code Value."""
    for what, text, longest in zip(Code._fields, code, (_LONG, _SHORT, _LONG), strict=True):
        if not 0 < len(text) <= longest or "\\" in text or not text.isprintable():
            raise ValueError(
                f"{where}: expected a {what} of 1 to {longest} printable characters without a backslash as code of the "
                f"class {name!r}, got {text!r}; give it one in a table of codes"
            )
