"""One public set, from its publisher or a file at hand to a folder."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from monai_medmamba.data.fetch.download import check_file, download_file
from monai_medmamba.data.fetch.publishers import PublicSet, Source, locate
from monai_medmamba.data.fetch.unpack import unpack
from monai_medmamba.files import atomic_path


def fetch_set(
    wanted: PublicSet,
    folder: str | os.PathLike[str],
    source: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Fetches a set whose licence its user has accepted.

    Args:
        wanted: The set.
        folder: For the images; an archive is unpacked into it, any other file laid into it. The archive itself is
            kept until it is unpacked, beside the folder.
        source: A copy of the publisher's file at hand: nothing is downloaded.
        progress: Called with the bytes that are there and their number in the end, if known.

    Returns:
        The folder, or the file in it.

    Raises:
        FileExistsError: The folder, or the file in it, is there.
        ValueError: The file is not the published one, or is an archive to be refused.
        OSError: The publisher does not answer, or the disk is full.

    Example:
        >>> from monai_medmamba.data.fetch import find_set
        >>> fetch_set(find_set("kvasir"), "kvasir", source="missing.zip")
        Traceback (most recent call last):
        FileNotFoundError: missing.zip: no such file; name the copy of kvasir-dataset.zip with --from
    """
    target = Path(folder)
    packed = wanted.file.endswith(".zip")
    place = target if packed else target / wanted.file
    if (packed and target.is_dir() and any(target.iterdir())) or (not packed and place.exists()):
        raise FileExistsError(f"{place}: is there already; remove it, or name another folder with --out")
    if source is not None:
        copy = Path(source)
        if not copy.is_file():
            raise FileNotFoundError(f"{copy}: no such file; name the copy of {wanted.file} with --from")
        return _put(copy, place, packed)
    found: Source = locate(wanted)
    archive = target.parent / wanted.file if packed else place
    if not archive.is_file():
        download_file(found.url, archive, found.size, found.md5, progress)
    check_file(archive, found.size, found.md5)
    if packed:
        unpack(archive, target)
        archive.unlink()
    return place


def _put(copy: Path, place: Path, packed: bool) -> Path:
    if packed:
        return unpack(copy, place)
    with atomic_path(place) as temporary:
        shutil.copyfile(copy, temporary)
    return place
