"""Series of a DICOMweb server as files: PS3.18, search (QIDO-RS) and retrieval (WADO-RS)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..discretion import discreet
from ..files import atomic_path
from ..transforms.dicom_library import write_file
from .dicomweb_client import DicomwebError, connect, reason_of, without_password
from .selection import Selection
from .source import Missed

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["FetchedSeries", "fetch_series"]

STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"  # UIDs, as tags of DICOM JSON (PS3.18, annex F)
MODALITY, BODY_PART = "00080060", "00180015"
NO_PICTURES = frozenset(
    {"AU", "DOC", "ECG", "FID", "KO", "M3D", "PLAN", "PR", "REG", "RTPLAN", "RTSTRUCT", "SR", "STAIN"}
)
"""Modalities (PS3.3, C.7.3.1.1.1) whose series are left out where no modality is asked for."""


class FetchedSeries(NamedTuple):
    """What a server has sent.

    Args:
        files: Path of each instance, with its address.
        missed: Series and instances that could not be had, with the reasons.
        left_out: How many series the selection does not mean.

    Example:
        >>> FetchedSeries({}, [], 0).missed
        []
    """

    files: dict[str, str]
    missed: list[Missed]
    left_out: int


class _Place(NamedTuple):
    study: str
    series: str
    instance: str

    def address(self, server: str) -> str:
        return f"{server}/studies/{self.study}/series/{self.series}/instances/{self.instance}"


def fetch_series(
    address: str,
    folder: str | os.PathLike[str],
    selection: Selection | None = None,
    *,
    studies: Sequence[str] = (),
    limit: int = 1000,
    timeout: float = 30.0,
    connections: int = 4,
    token: str | None = None,
    progress: bool = False,
) -> FetchedSeries:
    """Fetches the instances of the series that are meant, as ``<study>/<series>/<instance>.dcm`` in a folder.

    One that fails is noted, and the others are fetched all the same. One whose file is there is not fetched again:
    an instance never changes. Transfer syntaxes stay as the server has them.

    Args:
        address: Root of the server's services, such as ``https://pacs.example/dicom-web``.
        folder: Where to; is made if it is missing.
        selection: Modalities and body parts; None for all series that may hold pictures. A series whose body part the
            search does not tell is asked for it.
        studies: StudyInstanceUIDs to look in; none for all that the server has.
        limit: The most instances; where there are more, nothing is fetched.
        timeout: Seconds after which a request is given up.
        connections: At a time.
        token: Sent as ``Authorization: Bearer``.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        Files, failures, and how many series were left out.

    Raises:
        DicomwebError: The server cannot be reached or searched, or has more instances than ``limit``.
        ValueError: A study is no UID, or a number is not positive.
        OSError: The folder cannot be written.

    Example:
        >>> fetch_series("https://localhost:1/dicom-web", "unused", timeout=1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.dicom.dicomweb_client.DicomwebError: https://localhost:1/dicom-web: the connection failed...
    """
    wrong = [study for study in studies if not _is_uid(study)]
    if wrong:
        raise ValueError(f"expected a StudyInstanceUID of digits and dots, got {wrong[0]!r}")
    if min(limit, timeout, connections) <= 0:
        raise ValueError(f"expected positive numbers, got {limit=}, {timeout=}, {connections=}")
    with discreet():
        search = _Search(address, selection or Selection(), timeout, token)
        places = search.places(studies)
        if len(places) > limit:
            raise DicomwebError(
                f"{search.server}: {len(places)} instances are meant, expected at most {limit}; choose by study, "
                "modality or body part, or raise the limit"
            )
        fetched, missed = _fetch_all(search, places, Path(folder), connections, progress)
    return FetchedSeries(fetched, search.missed + missed, search.left_out)


class _Search:
    """What a server has of what is meant."""

    def __init__(self, address: str, selection: Selection, timeout: float, token: str | None) -> None:
        self.server, self.selection, self.timeout = without_password(address), selection, timeout
        self.connect = lambda: connect(address, timeout, token)
        self.client = self.connect()
        self.missed: list[Missed] = []
        self.left_out = 0
        self._modality = selection.modalities[0].strip().upper() if len(selection.modalities) == 1 else None

    def places(self, studies: Sequence[str]) -> list[_Place]:
        """Returns each instance that is meant."""
        if not studies:
            try:
                filters = {"ModalitiesInStudy": self._modality} if self._modality else None
                found = list(_pages(self.client.search_for_studies, STUDY, search_filters=filters))
            except Exception as error:  # requests, JSON and dicomweb_client raise their own
                raise DicomwebError(f"{self.server}: {reason_of(error, self.timeout)}") from error
            studies = self._valid(found, STUDY, self.server)
        return [place for study in studies for place in self._in_study(study)]

    def _in_study(self, study: str) -> Iterator[_Place]:
        where = f"{self.server}/studies/{study}"
        try:
            found = list(
                _pages(
                    self.client.search_for_series,
                    SERIES,
                    study_instance_uid=study,
                    fields=["BodyPartExamined"],
                    search_filters={"Modality": self._modality} if self._modality else None,
                )
            )
        except Exception as error:  # noqa: BLE001  whatever is wrong with one study, the others are still searched
            self.missed.append(Missed(where, reason_of(error, self.timeout)))
            return
        described = {_value(one, SERIES): one for one in found}
        for series in self._valid(found, SERIES, where):
            yield from self._in_series(study, series, described[series])

    def _in_series(self, study: str, series: str, described: dict[str, Any]) -> Iterator[_Place]:
        modality, body_part = _value(described, MODALITY), _value(described, BODY_PART)
        unwanted = not self.selection.modalities and modality in NO_PICTURES
        if unwanted or not Selection(self.selection.modalities).fits(modality, ""):
            self.left_out += 1
            return
        where = f"{self.server}/studies/{study}/series/{series}"
        try:
            search = self.client.search_for_instances
            found = list(_pages(search, INSTANCE, study_instance_uid=study, series_instance_uid=series))
            instances = self._valid(found, INSTANCE, where)
            if self.selection.body_parts and instances and not body_part:
                told = self.client.retrieve_instance_metadata(study, series, instances[0])
                body_part = _value(told, BODY_PART)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one series, the others are still searched
            self.missed.append(Missed(where, reason_of(error, self.timeout)))
            return
        if not self.selection.fits(modality, body_part):
            self.left_out += 1
            return
        yield from (_Place(study, series, instance) for instance in instances)

    def _valid(self, found: Sequence[dict[str, Any]], tag: str, where: str) -> list[str]:
        """Returns the UIDs of search results; one that is none, and might be a path, is noted."""
        uids = [_value(one, tag) for one in found]
        bad = sum(not _is_uid(uid) for uid in uids)
        if bad:
            self.missed.append(Missed(where, f"{bad} search results have no valid UID; correct them on the server"))
        return [uid for uid in uids if _is_uid(uid)]


def _pages(search: Callable[..., list[dict[str, Any]]], tag: str, **options: Any) -> Iterator[dict[str, Any]]:
    """Yields all results of a search, page by page, each once: a server that knows no pages sends the first again."""
    seen: set[str] = set()
    received = 0
    while page := search(offset=received, **options):
        fresh = [one for one in page if _value(one, tag) not in seen]
        if not fresh:
            return
        seen |= {_value(one, tag) for one in fresh}
        received += len(page)
        yield from fresh


def _value(item: dict[str, Any], tag: str) -> str:
    """Returns the first value of an element of DICOM JSON (PS3.18, F.2.3), "" where there is none."""
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0] or "")


def _is_uid(text: str) -> bool:
    from pydicom import config
    from pydicom.uid import UID

    return UID(text, config.IGNORE).is_valid  # validation of its own would warn, and quote the text


def _fetch_all(
    search: _Search, places: Sequence[_Place], folder: Path, connections: int, progress: bool
) -> tuple[dict[str, str], list[Missed]]:
    from tqdm.auto import tqdm

    own = threading.local()

    def start() -> None:
        own.client = search.connect()

    def fetch(place: _Place) -> str | None:
        """Fetches one instance; returns what is wrong."""
        target = folder / place.study / place.series / f"{place.instance}.dcm"  # UIDs: digits and dots
        if target.is_file():
            return None
        try:
            dataset = own.client.retrieve_instance(*place)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one instance, the others are still fetched
            return reason_of(error, search.timeout)
        return _keep(dataset, place, target)

    files: dict[str, str] = {}
    missed: list[Missed] = []
    # tqdm shows nothing where disable is None and the stream is no terminal.
    bar = tqdm(total=len(places), unit="instance", dynamic_ncols=True, disable=None if progress else True)
    with bar, ThreadPoolExecutor(connections, initializer=start) as pool:
        for place, wrong in zip(places, pool.map(fetch, places), strict=True):
            address = place.address(search.server)
            if wrong is None:
                files[str(folder / place.study / place.series / f"{place.instance}.dcm")] = address
            else:
                missed.append(Missed(address, wrong))
            bar.update()
    return files, missed


def _keep(dataset: Dataset, place: _Place, target: Path) -> str | None:
    """Writes an instance, without its preamble, which may be a program; returns what is wrong."""
    got = (dataset.get("StudyInstanceUID"), dataset.get("SeriesInstanceUID"), dataset.get("SOPInstanceUID"))
    if got != tuple(place):
        return "the server sends another instance than the one it was asked for"
    dataset.preamble = b"\0" * 128
    try:
        with atomic_path(target) as temporary:
            write_file(temporary, dataset)
    except OSError:
        raise  # the folder cannot be written to, or the disk is full
    except Exception as error:  # noqa: BLE001  pydicom raises a different class for each kind of damage
        return f"it cannot be written as a DICOM file ({type(error).__name__}); look at it on the server"
    return None
