"""Measures every image of a list, in parallel, past those that cannot be read."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

import numpy as np

from ..data.medmnist_file import stream_images
from .decoded import Decoded, UnreadableError
from .item import ARRAY, DICOM, NIFTI, PICTURE, SERIES, Item, Listing
from .measure import Measurement, measure
from .read_dicom import read_dicom
from .read_nifti import read_nifti
from .read_picture import read_picture
from .read_series import read_series
from .store import Stamp, Store, stamp_of, stamp_of_folder

logger = logging.getLogger(__name__)

READERS = {PICTURE: read_picture, DICOM: read_dicom, NIFTI: read_nifti, SERIES: read_series}
WAITING_FOR_EACH_WORKER = 8

Work = tuple[Item, Stamp, Decoded | None]
Outcome = tuple[Measurement, bytes] | str


def processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def scan(
    listing: Listing, store: Store, *, workers: int = 2, progress: bool = False
) -> tuple[dict[str, Measurement], dict[str, str]]:
    """Measures the images of a list, except those whose measurement is kept and whose file has not changed.

    Threads do it: decoders and numpy let go of the interpreter while they work, and nothing has to be copied. An
    interruption (Ctrl-C) ends within the images at hand and keeps what was measured.

    Args:
        listing: The images.
        store: Where measurements are kept.
        workers: Images at a time.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        Measurements by path in the order of the list, and what is wrong with each image that has none.

    Raises:
        DatasetError: An ``.npz`` file is damaged.
    """
    from tqdm.auto import tqdm

    root = Path(listing.root)
    kept = store.load()
    measured: dict[str, Measurement] = {}
    failures: dict[str, str] = {}
    store.forget(kept.keys() - {item.path for item in listing.items})
    todo = []
    for item in listing.items:
        try:
            stamp = _stamp(root, item)
        except (OSError, ValueError) as error:
            failures[item.path] = f"{getattr(error, 'strerror', None) or error}. Check the path and its permissions."
            continue
        if item.path in kept and kept[item.path][0] == stamp:
            measured[item.path] = kept[item.path][1]
        else:
            todo.append((item, stamp))
    if measured:
        logger.info("%d of %d images were measured before.", len(measured), len(listing.items))

    pool = ThreadPoolExecutor(max_workers=workers)
    bar = tqdm(
        total=len(listing.items),
        initial=len(listing.items) - len(todo),
        unit="image",
        dynamic_ncols=True,
        disable=None if progress else True,
    )
    try:
        for (item, stamp), outcome in _run(pool, root, todo, store.key, WAITING_FOR_EACH_WORKER * workers):
            if isinstance(outcome, str):
                failures[item.path] = outcome
            else:
                measured[item.path] = outcome[0]
                store.keep(item.path, stamp, *outcome)
            bar.update()
    finally:
        pool.shutdown(cancel_futures=True)
        bar.close()
    order = [item.path for item in listing.items]
    return {path: measured[path] for path in order if path in measured}, {
        p: failures[p] for p in order if p in failures
    }


def _stamp(root: Path, item: Item) -> Stamp:
    path = root / item.path
    if item.kind == SERIES and path.is_dir():
        return stamp_of_folder(path)
    return stamp_of(root / item.path.rpartition("#")[0] if item.kind == ARRAY else path)


def _run(
    pool: ThreadPoolExecutor, root: Path, todo: list[tuple[Item, Stamp]], key: bytes, most: int
) -> Iterator[tuple[tuple[Item, Stamp], Outcome]]:
    """Yields results as they come, with a limited number of images waiting in memory."""
    source = _decoded_ahead(root, todo)
    waiting: dict[Future[Outcome], tuple[Item, Stamp]] = {}
    while True:
        for item, stamp, image in islice(source, most - len(waiting)):
            waiting[pool.submit(_measure_one, root, item, image, key)] = (item, stamp)
        if not waiting:
            return
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future.result()


def _decoded_ahead(root: Path, todo: list[tuple[Item, Stamp]]) -> Iterator[Work]:
    """Yields the work; what comes out of an ``.npz`` file, which is a stream, is read on the way."""
    arrays = {item.path: (item, stamp) for item, stamp in todo if item.kind == ARRAY}
    yield from ((item, stamp, None) for item, stamp in todo if item.kind != ARRAY)
    if arrays:
        file = next(iter(arrays)).rpartition("#")[0]
        for path, values in stream_images(root / file, set(arrays)):
            yield (*arrays[path], _from_array(values))


def _from_array(values: np.ndarray) -> Decoded:
    coloured = values.ndim > 2 and values.shape[-1] == 3
    full_scale = {"b": 1.0, "u": float(2 ** (8 * values.itemsize) - 1)}.get(values.dtype.kind)
    if values.dtype == bool:
        values = values.astype(np.uint8)
    return Decoded(values, values.ndim - coloured == 3, "npz", str(values.dtype), 8 * values.itemsize, full_scale)


def _measure_one(root: Path, item: Item, image: Decoded | None, key: bytes) -> Outcome:
    """Returns the measurement and the preview, or what is wrong with the image."""
    try:
        if image is None:
            image = READERS[item.kind](root / item.path)
        if not image.values.size or not np.isfinite(image.values).all():
            return "it holds no values, or some that are NaN or infinite. Replace them."
        return measure(image, key)
    except UnreadableError as error:
        return str(error)
    except Exception as error:  # a decoder may raise anything on a damaged file, and the other images go on
        logger.debug("%s", item.path, exc_info=True)
        return f"it could not be measured ({type(error).__name__}: {error}). Copy it again, or convert it to PNG."
