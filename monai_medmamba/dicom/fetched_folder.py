"""Series of a server as a folder, for the configs of bundles."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from .dicomweb import fetch_series
from .dicomweb_client import DicomwebError
from .selection import Selection, split_words

__all__ = ["TOKEN", "fetch_folder"]

TOKEN = "MEDMAMBA_DICOMWEB_TOKEN"
"""The environment variable of a bearer token."""
logger = logging.getLogger(__name__)


def fetch_folder(
    address: str,
    folder: str | os.PathLike[str],
    modality: str | Sequence[str] = (),
    body_part: str | Sequence[str] = (),
    study: str | Sequence[str] = (),
    limit: int = 1000,
) -> str:
    """Fetches the series that are meant into a folder; what cannot be had is logged and passed over.

    Args:
        address: root of the server's services, such as ``https://pacs.example/dicom-web``.
        folder: where to, as ``<study>/<series>/<instance>.dcm``.
        modality: one or several, such as ``"CR,DX"``; none for all that may hold pictures.
        body_part: one or several.
        study: StudyInstanceUIDs; none for all.
        limit: the most instances; where there are more, nothing is fetched.

    Returns:
        The folder.

    Raises:
        DicomwebError: the server cannot be reached or searched, has more instances than ``limit``, or none that is
            meant and could be had.
        ValueError: a study is no UID.

    Example:
        >>> fetch_folder("https://localhost:1/dicom-web", "unused")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.dicom.dicomweb_client.DicomwebError: https://localhost:1/dicom-web: the connection failed...
    """
    found = fetch_series(
        address,
        folder,
        Selection(split_words(modality), split_words(body_part)),
        studies=split_words(study),
        limit=limit,
        token=os.environ.get(TOKEN),
        progress=True,
    )
    for name, reason in found.missed:
        logger.warning("%s: not fetched: %s", name, reason)
    if not found.files:
        raise DicomwebError(
            f"the server sent no instance that is meant ({len(found.missed)} could not be had, {found.left_out} series "
            "left out); see --modality, --body_part and --study"
        )
    logger.info("%d instances in %s, %d series left out", len(found.files), os.fspath(folder), found.left_out)
    return os.fspath(folder)
