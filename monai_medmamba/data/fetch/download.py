"""A file over HTTP, whole or not at all, that goes on where it was cut off."""

import hashlib
import http.client
import logging
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

CHUNK = 1 << 20
ATTEMPTS = 5  # in one call; a later call goes on as well
PAUSE = 0.5  # seconds before the second attempt; longer before each later one


def download_file(
    url: str,
    target: str | os.PathLike[str],
    size: int | None = None,
    md5: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Downloads a file to its place once it is whole and is what it should be.

    What has come so far lies beside it as ``<name>.part``. A connection that breaks is taken up again there, now or
    by a later call, if the server still has the same file; otherwise it begins anew.

    Args:
        url: Of the file.
        target: Its place; one that is there already is replaced.
        size: In bytes, as published; None if it is not.
        md5: As published, in hexadecimal; None if it is not.
        progress: Called with the bytes that are there and their number in the end, if known.

    Returns:
        The target.

    Raises:
        OSError: The server or the disk refuses, or the connection broke too often; what has come stays for later.
        ValueError: Size or checksum is another; nothing is left.

    Example:
        >>> download_file("http://127.0.0.1:9/x.zip", "x.zip")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        OSError: http://127.0.0.1:9/x.zip: ...
    """
    place = Path(target)
    part, tag = place.with_name(f"{place.name}.part"), place.with_name(f"{place.name}.part.tag")
    place.parent.mkdir(parents=True, exist_ok=True)
    wanted = size
    for attempt in range(1, ATTEMPTS + 1):
        try:
            wanted = _transfer(url, part, tag, size, progress)
            break
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                tag.unlink(missing_ok=True)  # the part is as long as the file, or longer: begin anew
            elif isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429:
                raise OSError(f"{url}: the server answers {error.code}; look at the publisher's page") from error
            if attempt == ATTEMPTS:
                have = part.stat().st_size if part.exists() else 0
                raise OSError(f"{url}: broken off after {have} bytes ({error}); the same call goes on there") from error
            time.sleep(PAUSE * attempt)
            logger.info("%s: %s; going on, attempt %d of %d", url, error, attempt + 1, ATTEMPTS)
    known = size if size is not None else wanted
    found = part.stat().st_size if wanted == known else wanted
    fault = f"expected {known} bytes, got {found}" if known not in (None, found) else _other_digest(part, md5)
    if fault:
        part.unlink(missing_ok=True)
        tag.unlink(missing_ok=True)
        raise ValueError(f"{url}: {fault}; nothing is kept. Try again, or fetch it by hand and name it with --from")
    os.replace(part, place)
    tag.unlink(missing_ok=True)
    return place


def check_file(path: Path, size: int | None, md5: str | None) -> None:
    """Raises ValueError where a file at hand has another size or checksum than the published one."""
    found = path.stat().st_size
    fault = f"expected {size} bytes, got {found}" if size is not None and found != size else _other_digest(path, md5)
    if fault:
        raise ValueError(f"{path}: not the published file: {fault}")


def _transfer(
    url: str, part: Path, tag: Path, size: int | None, progress: Callable[[int, int | None], None] | None
) -> int | None:
    """Appends to the part until the server has no more, and returns the whole size if anything says it."""
    have = part.stat().st_size if part.exists() and tag.exists() else 0
    if size is not None and have == size:
        return size
    request = urllib.request.Request(url, headers={"User-Agent": "monai-medmamba", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag.read_text(encoding="utf-8"))
    with urllib.request.urlopen(request, timeout=60) as answer:
        resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if resumed else 0
        left = answer.headers.get("Content-Length")
        total = have + int(left) if left is not None else size
        if size is not None and total != size:
            return total  # another file: not worth a byte
        room = shutil.disk_usage(part.parent).free
        if total is not None and total - have > room:
            raise OSError(f"{part.parent}: {total - have} bytes are to come, and {room} are free: make room")
        validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            tag.write_text(validator, encoding="utf-8")
        else:
            tag.unlink(missing_ok=True)  # nothing shows that the file is still the same: a part is no use
        with part.open("ab" if resumed else "wb") as stream:
            while chunk := answer.read(CHUNK):
                stream.write(chunk)
                have += len(chunk)
                if progress:
                    progress(have, total)
                if total is not None and have > total:
                    break
    if total is not None and have < total:
        raise ConnectionError(f"the connection closed after {have} of {total} bytes")
    return total


def _other_digest(path: Path, md5: str | None) -> str:
    """Returns what is wrong with a file's checksum, or nothing."""
    if md5 is None:
        return ""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return "" if found == md5.lower() else f"expected the MD5 {md5}, got {found}"
