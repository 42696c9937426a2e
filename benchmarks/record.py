"""A record of measured rows: each is printed and written as it comes."""

import datetime
import json
import logging
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from provenance import commit, versions
from timing import release

logger = logging.getLogger(__name__)

UNPRINTED = ("section", "losses")  # the heading says the first; the second is too long for a line


def describe(error: Exception) -> str:
    """Return an error's kind and the beginning of what it says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def said(key: str, value: object) -> str:
    """Return a part of a row's name as a line shows it: flags by their name alone, sizes beside it."""
    if isinstance(value, bool):
        return key if value else ""
    return f"{key}-{value}" if isinstance(value, int) else str(value)


def shortened(value: object) -> object:
    """Return a figure as a line shows it: of several, the largest."""
    return f"{max(value.values())} at most" if isinstance(value, dict) else value


class Record:
    """What one run of the suite found.

    Rows that fail say why under ``failed`` and do not stop the others. So do rows that would begin after
    ``seconds``: none is left out in silence. Where a failure came from is told in a log beside the record.
    """

    def __init__(self, path: Path, device: str, seconds: float, notes: dict) -> None:
        self.path, self.seconds, self.started, self.section = path, seconds, time.monotonic(), ""
        path.parent.mkdir(parents=True, exist_ok=True)
        logger.handlers = [logging.FileHandler(path.with_suffix(".log"), mode="w", delay=True)]
        logger.propagate = False  # a traceback for each row would hide the rows
        self.content = {
            "date": self.today(),
            "commit": commit(),
            "device": device,
            "machine": platform.platform(),
            "versions": versions(),
            **notes,
            "sections": {},
            "rows": [],
        }

    @staticmethod
    def today() -> str:
        """Return the date as records write it."""
        return datetime.date.today().isoformat()

    @property
    def rows(self) -> list[dict]:
        """The rows so far."""
        return self.content["rows"]

    def elapsed(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self.started

    def keep_other_sections(self, sections: list[str]) -> None:
        """Take over, from an earlier record of this day, device and commit, what these sections will not measure."""
        if not self.path.is_file():
            return
        earlier = json.loads(self.path.read_text())
        if earlier["commit"] != self.content["commit"]:
            raise SystemExit(
                f"{self.path} holds the sections of another commit, {earlier['commit']}: "
                f"measure all sections, or name another folder with --out"
            )
        self.content["rows"] = [row for row in earlier["rows"] if row["section"] not in sections]
        self.content["sections"] = {k: v for k, v in earlier["sections"].items() if k not in sections}

    def run_section(self, name: str, measure: Callable[[], None]) -> None:
        """Measure a section; one that breaks off keeps its rows and says why."""
        self.section, began, outcome = name, self.elapsed(), {}
        print(f"--- {name} (at {began:.0f} s)", flush=True)
        try:
            measure()
        except Exception as error:
            logger.exception("section %s", name)
            outcome = {"failed": describe(error)}
        self.content["sections"][name] = {"seconds": round(self.elapsed() - began, 1), **outcome}
        self.save()

    def row(self, what: dict, measure: Callable[[], dict]) -> dict:
        """Add a row: what is measured, then the figures that ``measure`` returns, or why there are none."""
        row = {"section": self.section, **what}
        if self.elapsed() > self.seconds:
            row["failed"] = f"left out: the run's time was used up after {self.elapsed():.0f} s"
        else:
            try:
                row |= measure()
            except Exception as error:
                logger.exception("row %s", row)
                row["failed"] = describe(error)
        if "failed" in row:
            release()
        self.rows.append(row)
        figures = [f"{k}={shortened(v)}" for k, v in row.items() if k not in what and k not in UNPRINTED]
        named = filter(None, (said(key, value) for key, value in what.items()))
        print(f"{self.elapsed():6.1f}", *named, *figures, flush=True)
        self.save()
        return row

    def save(self) -> None:
        """Write the record; a run that is stopped meanwhile leaves the former one whole."""
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(self.content, indent=4) + "\n")
        os.replace(draft, self.path)
