"""Archives of strangers: every name and size is looked at before anything is written."""

import os
import shutil
import stat
import tempfile
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath

MAX_ENTRIES = 1_000_000
MAX_BYTES = 60 * 10**9
MAX_RATIO = 200  # of an entry's size to what it takes in the archive; pictures have about 1, tables 20
SMALL = 1_000_000  # bytes below which the ratio says nothing
LEFT_OUT = ("__MACOSX",)  # what a Mac adds: files that are named like pictures and are none


class ArchiveError(ValueError):
    """An archive that is damaged, or holds what no data set needs."""


def unpack(archive: str | os.PathLike[str], folder: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Path:
    """Unpacks a zip archive, and zip archives inside it, into a new folder: all of it or nothing.

    Args:
        archive: The file.
        folder: Made by this call; it may exist if it is empty.
        max_bytes: Of everything together.

    Returns:
        The folder.

    Raises:
        ArchiveError: It is no whole zip archive; or an entry would leave the folder, is a link or a device, is
            encrypted, differs from another in case alone, or is far larger than the archive can honestly hold. The
            message names the entry.
        FileExistsError: The folder holds something.

    Example:
        >>> unpack("missing.zip", "images")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'missing.zip'
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target}: expected an empty folder or none; name another one with --out")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        left = _unpack_one(Path(archive), draft, max_bytes)
        for inner in sorted(draft.rglob("*.zip")):
            place = inner.with_suffix("")
            if place.exists():
                raise ArchiveError(f"{archive}: {inner.relative_to(draft)} would unpack over {place.name}")
            place.mkdir()
            left = _unpack_one(inner, place, left)
            inner.unlink()
        draft.chmod(0o755)
        if target.exists():
            target.rmdir()
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _unpack_one(archive: Path, folder: Path, max_bytes: int) -> int:
    """Unpacks one archive and returns how many bytes are still allowed."""
    try:
        with zipfile.ZipFile(archive) as content:
            entries = content.infolist()
            _check(archive, entries, max_bytes)
            for entry in entries:
                place = folder.joinpath(*PurePosixPath(entry.filename).parts)
                if entry.filename.startswith(tuple(f"{name}/" for name in LEFT_OUT)):
                    continue
                if entry.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                with content.open(entry) as source, place.open("xb") as stream:
                    shutil.copyfileobj(source, stream, 1 << 20)  # zipfile reads no more than the size it declares
            return max_bytes - sum(entry.file_size for entry in entries)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise ArchiveError(f"{archive.name}: not a whole zip archive ({error})") from error


def _check(archive: Path, entries: list[zipfile.ZipInfo], max_bytes: int) -> None:
    """Refuses an archive by its list of entries."""
    if len(entries) > MAX_ENTRIES:
        raise ArchiveError(f"{archive.name}: {len(entries)} entries, at most {MAX_ENTRIES}")
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes:
        raise ArchiveError(f"{archive.name}: would unpack to {total} bytes, at most {max_bytes} are allowed")
    spellings: dict[str, str] = {}
    files: set[str] = set()
    for entry in entries:
        fault = _fault(entry)
        path = PurePosixPath(entry.filename)
        for step in (path, *list(path.parents)[:-1]):
            key = unicodedata.normalize("NFC", str(step)).casefold()
            if spellings.setdefault(key, str(step)) != str(step):
                fault = fault or f"differs from {spellings[key]} in case alone"
        if not entry.is_dir():
            fault = fault or ("comes twice" if str(path) in files else "")
            files.add(str(path))
        if fault:
            raise ArchiveError(f"{archive.name}: refused, nothing is unpacked: the entry {entry.filename!r} {fault}")
    for name in files:
        over = next((str(parent) for parent in PurePosixPath(name).parents if str(parent) in files), None)
        if over:
            raise ArchiveError(f"{archive.name}: refused, nothing is unpacked: {over!r} is a file and a folder")


def _fault(entry: zipfile.ZipInfo) -> str:
    """Returns what is wrong with an entry on its own, or nothing."""
    name = getattr(entry, "orig_filename", entry.filename)
    path = PurePosixPath(name)
    if not name or "\0" in name or "\\" in name:
        return "has a name that is no path"
    if path.is_absolute() or ":" in path.parts[0]:
        return "has an absolute path"
    if ".." in path.parts:
        return "leaves the folder"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link" if kind == stat.S_IFLNK else "is no file"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.file_size > max(SMALL, MAX_RATIO * entry.compress_size):
        return f"is {entry.file_size} bytes out of {entry.compress_size}, which no data set needs"
    return ""
