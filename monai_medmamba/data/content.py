"""Looks at each listed file once: is it a picture, and has its content been seen before."""

import hashlib
import io
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.picture_formats import FORMATS, MAX_PIXELS

logger = logging.getLogger(__name__)


def digest_images(root: Path, entries: Sequence[Entry]) -> list[str]:
    """Reads every file once and returns the SHA-256 of its bytes, in the order of ``entries``.

    Raises:
        DatasetError: Files are missing, unreadable, empty, or do not begin as a png, jpg, bmp or tif picture does.
    """
    with ThreadPoolExecutor(max_workers=min(16, 4 * (os.cpu_count() or 1))) as pool:
        results = list(pool.map(lambda entry: _digest(root / entry.path), entries))
    faulty = [f"{entry.path}: {fault}" for entry, (_, fault) in zip(entries, results, strict=True) if fault]
    if faulty:
        expected = f"readable png, jpg, bmp or tif pictures in {root}"
        found = f"{len(faulty)} of {len(entries)} files that are not"
        raise DatasetError(expected, found, "Replace, convert or remove them", faulty)
    return [digest for digest, _ in results]


def check_one_label(entries: Sequence[Entry], digests: Sequence[str]) -> None:
    """Refuses the same content under two labels."""
    _refuse_shared(entries, digests, lambda entry: entry.label, "one label for each picture", "under two labels")


def check_apart(entries: Sequence[Entry], digests: Sequence[str]) -> None:
    """Refuses the same content, and the same patient, in two splits."""
    _refuse_shared(entries, digests, _split, "each picture in one split", "in two splits")
    known = [entry for entry in entries if entry.patient is not None]
    patients = [f"patient {entry.patient}" for entry in known]
    _refuse_shared(known, patients, _split, "each patient in one split", "in two splits")


def warn_of_repeats(entries: Sequence[Entry], digests: Sequence[str]) -> None:
    """Logs how many files repeat the content of another."""
    first: dict[str, str] = {}
    repeats = [e.path for e, digest in zip(entries, digests, strict=True) if first.setdefault(digest, e.path) != e.path]
    if repeats:
        text = "%d files repeat the content of another in their split, %s for one; kept."
        logger.warning(text, len(repeats), repeats[0])


def _digest(file: Path) -> tuple[str, str | None]:
    """Returns the digest of a file, and what is wrong with it."""
    try:
        content = file.read_bytes()
        if not content:
            return "", "empty"
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            fault = _fault(picture)
        return hashlib.sha256(content).hexdigest(), fault
    except Image.UnidentifiedImageError:
        return "", "not a picture of these kinds"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        return "", getattr(error, "strerror", None) or str(error)


def _fault(picture: Image.Image) -> str | None:
    if picture.width * picture.height > MAX_PIXELS:
        return f"{picture.width} x {picture.height} pixels, more than {MAX_PIXELS}"
    pages = getattr(picture, "n_frames", 1)
    return f"{pages} pictures in one file" if pages > 1 and picture.format != "MPO" else None


def _split(entry: Entry) -> str:
    return entry.split or ""


def _refuse_shared(
    entries: Sequence[Entry], keys: Sequence[str], place: Callable[[Entry], str], expected: str, where: str
) -> None:
    """Refuses a key that is met in two places."""
    places: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry, key in zip(entries, keys, strict=True):
        places[key].setdefault(place(entry), entry)
    shared = [
        (f"{key}: " if key.startswith("patient ") else "") + " = ".join(entry.path for entry in met.values())
        for key, met in places.items()
        if len(met) > 1
    ]
    if shared:
        raise DatasetError(expected, f"{len(shared)} {where}", "Keep each in one place only", shared)
