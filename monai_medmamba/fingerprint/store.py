"""What was measured already: one SQLite file, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from .measure import Measurement

logger = logging.getLogger(__name__)

VERSION = 1
"""Raise it whenever ``measure`` or a reader changes: older measurements are then made again."""
SECONDS_BETWEEN_COMMITS = 2.0

Stamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds: while they stay, a file is taken to be the same."""


def stamp_of(path: Path) -> Stamp:
    """Returns what tells whether a file has changed.

    Raises:
        OSError: The file cannot be looked at, or is none: a folder, a pipe or a device, which might never end.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is a folder, a pipe or a device, and no file")
    return status.st_size, status.st_mtime_ns


def stamp_of_folder(path: Path) -> Stamp:
    """Returns what tells whether files of a folder have changed, at any depth: their sizes' sum and the latest change.

    Raises:
        OSError: A file cannot be looked at.
    """
    sizes = changes = 0
    for parent, _, names in os.walk(path):
        for name in names:
            status = os.stat(os.path.join(parent, name))
            sizes, changes = sizes + status.st_size, max(changes, status.st_mtime_ns)
    return sizes, changes


class Store:
    """Measurements on disk, by path, size and time of the last change. Failures are not kept: they are tried again.

    A file that is damaged, of another version or of another data set is begun anew, with a warning. Everything is
    written in transactions, so a run that is killed loses two seconds of work at most.

    Args:
        path: Where the file stands; missing folders are made.
        root: Folder of the data set.
    """

    def __init__(self, path: Path, root: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._committed = time.monotonic()
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            raise OSError(f"{path} is no file of its own: remove it, or name another folder for the output")
        try:
            self._connection, self.key = self._open(root)
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise OSError(f"{path} is in use by another run: wait for it, or name another output") from error
            logger.warning("The cache %s cannot be used (%s); it is begun anew.", path, error)
            path.unlink(missing_ok=True)
            self._connection, self.key = self._open(root)

    def _open(self, root: str) -> tuple[sqlite3.Connection, bytes]:
        connection = sqlite3.connect(self._path, timeout=5)
        try:
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise ValueError("it is damaged")
            known = connection.execute("SELECT name FROM sqlite_master WHERE name = 'facts'").fetchone()
            if known is None:
                facts = {"version": str(VERSION), "root": root, "key": secrets.token_hex(32)}
                connection.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)")
                columns = "path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, content TEXT, preview BLOB"
                connection.execute(f"CREATE TABLE images ({columns})")
                connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
                connection.commit()
            facts = dict(connection.execute("SELECT name, value FROM facts"))
            if facts.get("version") != str(VERSION):
                raise ValueError(f"it has version {facts.get('version')}, expected {VERSION}")
            if facts.get("root") != root:
                raise ValueError("it is of another data set")
            connection.execute("SELECT path, size, changed, content, preview FROM images LIMIT 1")
            return connection, bytes.fromhex(facts["key"])
        except BaseException:
            connection.close()
            raise

    def load(self) -> dict[str, tuple[Stamp, Measurement]]:
        """Returns everything that is kept and readable, by path."""
        found = {}
        for path, size, changed, content in self._connection.execute("SELECT path, size, changed, content FROM images"):
            try:
                found[_name(path)] = ((size, changed), Measurement(**json.loads(content)))
            except (ValueError, TypeError):
                logger.warning("One entry of the cache %s cannot be used; that image is measured again.", self._path)
        return found

    def keep(self, path: str, stamp: Stamp, measurement: Measurement, preview: bytes) -> None:
        """Keeps a measurement; it is on disk within about two seconds, or at ``close``."""
        content = json.dumps(measurement.to_json(), separators=(",", ":"))
        row = (path.encode("utf-8", "surrogateescape"), *stamp, content, preview)
        self._connection.execute("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)", row)
        if time.monotonic() - self._committed > SECONDS_BETWEEN_COMMITS:
            self._connection.commit()
            self._committed = time.monotonic()

    def forget(self, paths: set[str]) -> None:
        """Removes what is kept of images that are no longer there."""
        rows = ((path.encode("utf-8", "surrogateescape"),) for path in paths)
        self._connection.executemany("DELETE FROM images WHERE path = ?", rows)

    def preview(self, path: str) -> bytes | None:
        """Returns the small JPEG of an image; None where there is none."""
        query = "SELECT preview FROM images WHERE path = ?"
        row = self._connection.execute(query, (path.encode("utf-8", "surrogateescape"),)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Writes what is left and closes the file."""
        self._connection.commit()
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def _name(path: bytes | str) -> str:
    return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors, such as that of a full disk, into an ``OSError`` that names the file and the cure."""
    try:
        yield
    except sqlite3.Error as error:
        cure = "free some space, or name another folder for the output"
        raise OSError(f"the cache {path} cannot be written ({error}): {cure}") from error
