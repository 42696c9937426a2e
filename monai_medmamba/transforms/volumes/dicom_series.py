"""Which DICOM files belong to the volume that is meant: they are found, grouped by series, and one series chosen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_pixels import is_dicom
from monai_medmamba.transforms.dicom_values import frame_count, in_one_line

if TYPE_CHECKING:
    from pydicom import Dataset

LARGEST = "largest"
NO_VOLUMES = ("SEG", "RTDOSE", "OT", "SR", "PR", "KO")  # modalities that are not what a folder is named for


@dataclass
class Series:
    """The images of one series.

    Args:
        uid: Its SeriesInstanceUID.
        modality: Such as CT.
        localizer: Whether every image of it is a localizer, on which others were planned.
        files: Each file with its header, without pixels.
    """

    uid: str
    modality: str
    localizer: bool = True
    files: list[tuple[Path, Dataset]] = field(default_factory=list)

    @property
    def images(self) -> int:
        """The number of its images, frames counted."""
        return sum(frame_count(header) for _, header in self.files)


def find_series(path: Path) -> list[Series]:
    """Groups the DICOM images of a file or folder by series.

    Args:
        path: A file, or a folder that is searched at any depth; hidden files and folders are left out, and files that
            are no DICOM or hold no image.

    Returns:
        The series, the largest first.

    Raises:
        ImageReadError: A DICOM file cannot be read, or there is no image.
    """
    import pydicom

    found: dict[str, Series] = {}
    for file in [path] if path.is_file() else _files(path):
        try:
            if not is_dicom(file) or file.name == "DICOMDIR":
                continue
            header = pydicom.dcmread(file, stop_before_pixels=True)
            if "Rows" not in header or "Columns" not in header:
                continue
            frame_count(header)  # raises here, where the file is known, if it is no number
            uid = str(header.get("SeriesInstanceUID") or "")
            series = found.setdefault(uid, Series(uid, str(header.get("Modality") or "unknown")))
        except Exception as error:  # pydicom raises a different class for each kind of damage
            if isinstance(error, OSError) and error.strerror:
                raise ImageReadError(file, error.strerror, "Check the path and its permissions") from error
            raise ImageReadError(file, f"its header is damaged ({in_one_line(error)})", "Copy it again") from error
        series.files.append((file, header))
        series.localizer &= "LOCALIZER" in (header.get("ImageType") or [])
    if not found:
        cure = "Name the folder that holds the slices of a series, or a NIfTI file"
        raise ImageReadError(path, "there is no DICOM image in it", cure)
    return sorted(found.values(), key=lambda series: (-series.images, series.uid))


def choose_series(path: Path, found: Sequence[Series], wanted: str | None = None) -> Series:
    """Chooses one series.

    Args:
        path: Where they come from, for messages.
        found: All there are.
        wanted: A SeriesInstanceUID; ``"largest"`` for the one of most images; None for the only one that can be meant,
            which is no localizer and no segmentation if others are there.

    Returns:
        The series.

    Raises:
        ImageReadError: None, or more than one, is meant; the message lists them all.
    """
    if wanted not in (None, LARGEST):
        fitting = [series for series in found if series.uid == wanted]
    else:
        fitting = [x for x in found if not x.localizer and x.modality not in NO_VOLUMES] or list(found)
        if wanted == LARGEST:
            fitting = [series for series in fitting if series.images == max(x.images for x in fitting)]
    if len(fitting) == 1:
        return fitting[0]
    listed = "; ".join(f"{x.uid or 'without UID'} ({x.modality}, {x.images} images)" for x in found)
    cure = 'Name one, series="<its SeriesInstanceUID>", or take the one of most images, series="largest"'
    if not fitting:
        raise ImageReadError(path, f"it holds no series {wanted}, but {listed}", cure)
    if wanted == LARGEST:
        cure = 'Name one, series="<its SeriesInstanceUID>"'
    raise ImageReadError(path, f"it holds {len(fitting)} series that may be meant: {listed}", cure)


def _files(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise ImageReadError(error.filename, f"{error.strerror}", "Check the path and its permissions") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
    return found
