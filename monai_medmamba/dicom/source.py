"""The DICOM files that a prediction was made of: their headers, checked for what a report needs."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..discretion import discreet
from ..transforms import ImageReadError, is_dicom
from ..transforms.volumes.dicom_series import choose_series, find_series

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["Missed", "SourceError", "read_sources"]

IDENTIFIERS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")


class SourceError(ValueError):
    """A file cannot be the source of a report.

    The message names it, what is wrong and the cure, and quotes nothing that it holds.

    Args:
        path: The file.
        reason: What is wrong, and the cure.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.reason = reason


class Missed(NamedTuple):
    """Something that was passed over.

    Args:
        name: A file, an address or an identifier.
        reason: What is wrong, and the cure.

    Example:
        >>> Missed("a.dcm", "no such file").reason
        'no such file'
    """

    name: str
    reason: str


def read_sources(path: str | os.PathLike[str], series: str | None = None) -> list[Dataset]:
    """Returns the headers of the DICOM images that a name in a table of predictions stands for.

    Args:
        path: A file, or a folder with one series, which was read as a volume.
        series: Which series of a folder, as :class:`monai_medmamba.transforms.LoadVolume` takes it.

    Returns:
        Datasets without pixels, each with valid UIDs; of a folder, all images of the series.

    Raises:
        SourceError: There is no such file, it is no DICOM image, is damaged, or lacks an identifier (class, instance,
            series, study); or a folder holds several series. pydicom is not installed.

    Example:
        >>> from pydicom.data import get_testdata_file
        >>> [header.Modality for header in read_sources(get_testdata_file("MR_small.dcm", download=False))]
        ['MR']
    """
    with discreet():
        file = Path(path).expanduser()
        if not file.is_dir():
            return [_header(file)]
        try:
            files = choose_series(file, find_series(file), series).files
        except ImportError as error:
            raise _without_pydicom(file) from error
        except ImageReadError as error:
            raise SourceError(file, f"{error.found}. {error.cure}") from error
        return [_checked(name, header) for name, header in files]


def _header(file: Path) -> Dataset:
    try:
        if not is_dicom(file):
            raise SourceError(file, "expected a DICOM file, got another; name the DICOM files that were classified")
        import pydicom

        header = pydicom.dcmread(file, stop_before_pixels=True)
        return _checked(file, header)
    except SourceError:
        raise
    except ImportError as error:
        raise _without_pydicom(file) from error
    except OSError as error:
        if not error.strerror:
            raise SourceError(file, "its header is damaged; copy it again") from error
        raise SourceError(file, f"{error.strerror}; check the path and its permissions") from error
    except Exception as error:  # pydicom raises a different class for each kind of damage, and quotes what it read
        raise SourceError(file, f"its header is damaged ({type(error).__name__}); copy it again") from error


def _checked(file: Path, header: Dataset) -> Dataset:
    if "Rows" not in header or "Columns" not in header:
        raise SourceError(file, "expected a DICOM image, got a DICOM file without a picture; leave it out")
    wrong = [name for name in IDENTIFIERS if not _is_uid(header, name)]
    if wrong:
        raise SourceError(
            file,
            f"expected a valid {', '.join(wrong)}, which a report refers to, got none; take the file as the archive "
            "sends it",
        )
    return header


def _is_uid(header: Dataset, keyword: str) -> bool:
    from pydicom.uid import UID

    value = header.get(keyword)
    return isinstance(value, str) and UID(value).is_valid  # also keeps paths from being made of it


def need_highdicom() -> None:
    """Raises RuntimeError with the cure where highdicom is not installed."""
    if find_spec("highdicom") is None:
        raise RuntimeError(
            'reports and captures need highdicom, which is not installed: pip install "monai-medmamba[dicom]"'
        )


def _without_pydicom(file: Path) -> SourceError:
    return SourceError(file, 'it needs pydicom, which is not installed: pip install "monai-medmamba[dicom]"')
