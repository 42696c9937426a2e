"""A target: one figure that a record holds, what it must be, and what it aims at."""

from collections.abc import Callable
from typing import NamedTuple


class Reading(NamedTuple):
    """A figure and what it was made of."""

    value: float
    parts: tuple[str, ...] = ()  # such as "ours 5.1 ms (fused+graph)"


class Target(NamedTuple):
    """One figure, what it must be and what it aims at."""

    name: str
    what: str
    unit: str
    better: str  # higher or lower
    must: float
    aim: float | None
    records: str  # pattern of file names
    read: Callable[[dict], Reading]  # LookupError where the record does not hold the figure

    def state(self, value: float) -> str:
        """Return whether a value is past the aim, past what it must be, or missed."""
        sign = 1 if self.better == "higher" else -1
        if self.aim is not None and sign * value >= sign * self.aim:
            return "aim"
        return "must" if sign * value >= sign * self.must else "missed"


def rows(record: dict, field: str, **wanted: object) -> list[dict]:
    """Return the rows with these fields that hold a figure called ``field``."""
    return [r for r in record["rows"] if field in r and all(r.get(key) == value for key, value in wanted.items())]


def row(record: dict, field: str, **wanted: object) -> float:
    """Return a field of the one row whose other fields are these."""
    found = rows(record, field, **wanted)
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows with {wanted}")
    return found[0][field]


def best(record: dict, field: str, **wanted: object) -> dict:
    """Return the row with these fields whose figure is least."""
    found = rows(record, field, **wanted)
    if not found:
        raise LookupError(f"no row with {wanted}")
    return min(found, key=lambda r: r[field])
