"""Files that are either whole or absent: written beside their place and moved into it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_path"]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary path beside ``path`` and moves the file there once the block ends without an error.

    A crash, a full disk or a kill leaves the file that was there before untouched. On an error the temporary file is
    removed.

    Args:
        path: where the file shall stand; missing folders are made.

    Yields:
        The path to write to, in the same folder and with the same suffix.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_path(Path(folder) / "a.txt") as temporary:
        ...         _ = temporary.write_text("whole")
        ...     [p.name for p in Path(folder).iterdir()]
        ['a.txt']
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        _grant_default_mode(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _grant_default_mode(path: Path) -> None:
    """Gives the file the mode that a plain ``open`` would have, instead of mkstemp's private one."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
