"""Images of a DICOMweb server, as files beside the application; labels stay there too."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..dicom.dicomweb import fetch_series
from ..dicom.dicomweb_client import without_password
from ..dicom.selection import Selection
from .image_store import ImageStore
from .request_error import RequestError

__all__ = ["DicomWebStore"]

logger = logging.getLogger(__name__)

MOST_INSTANCES = 10_000


class DicomWebStore(ImageStore):
    """The instances of a DICOMweb server; an image's id is its SOPInstanceUID with ``.dcm`` behind.

    They are fetched when the server starts and at ``refresh``, in the background, and kept: an instance never changes.
    Nothing is written to the server.

    Args:
        address: Root of the server's services; ``user:password@`` before the host is sent as basic authentication.
        folder: Where the files of all servers go, each to a folder of its own.
        modalities: Such as ``("CR", "DX")``; none for all that may hold pictures.

    Example:
        >>> import tempfile
        >>> store = DicomWebStore("http://localhost:1/dicom-web", tempfile.mkdtemp())
        >>> store.wait(60), store.list_images()
        (True, [])
    """

    def __init__(self, address: str, folder: str | os.PathLike[str], modalities: Sequence[str] = ()) -> None:
        self.address, self.selection = address, Selection(tuple(modalities))
        shown = without_password(address)
        super().__init__(Path(folder) / hashlib.sha256(shown.encode()).hexdigest()[:16])
        self.shown = shown
        self._fetching: threading.Thread | None = None
        self.refresh()

    def refresh(self) -> None:
        """Starts to fetch what the server has anew; returns at once."""
        with self._lock:
            if self._fetching is None or not self._fetching.is_alive():
                self._fetching = threading.Thread(target=self._fetch, name="dicomweb", daemon=True)
                self._fetching.start()

    def wait(self, seconds: float) -> bool:
        """Waits until nothing is being fetched; returns whether that came in time."""
        if self._fetching is not None:
            self._fetching.join(seconds)
            return not self._fetching.is_alive()
        return True

    def _fetch(self) -> None:
        started = time.monotonic()
        try:
            found = fetch_series(self.address, self.folder / "instances", self.selection, limit=MOST_INSTANCES)
        except (OSError, ValueError) as error:
            logger.error("the studies cannot be fetched: %s", error)
            return
        for missed in found.missed:
            logger.warning("%s: %s", missed.name, missed.reason)
        seconds = time.monotonic() - started
        logger.info("%d instances of %s are here, after %.0f s", len(found.files), self.shown, seconds)

    def list_images(self) -> list[str]:
        """Returns the ids of the instances that are here, sorted."""
        return sorted(path.name for path in self._instances())

    def get_image_uri(self, image_id: str) -> str:
        """Returns the path of an instance.

        Raises:
            RequestError: There is none of this id.
        """
        for path in self._instances():
            if path.name == image_id:
                return os.fspath(path)
        raise RequestError(404, f"there is no image {image_id!r} in the studies")

    def _is_known(self, image_id: str) -> bool:
        return any(path.name == image_id for path in self._instances())

    def _instances(self) -> list[Path]:
        return list((self.folder / "instances").glob("*/*/[!.]*.dcm"))

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Refuses: nothing is written to the server."""
        del image_id, image_filename, image_info
        raise RequestError(405, "images come from the DICOMweb server; store new ones there")

    def remove_image(self, image_id: str) -> None:
        """Refuses, as above."""
        raise RequestError(405, f"{image_id}: images come from the DICOMweb server; remove them there")

    def name(self) -> str:
        """Returns the server's address."""
        return self.shown

    def description(self) -> str:
        """Returns the server's address."""
        return self.shown
