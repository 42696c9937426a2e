"""Looks at each listed volume once: is it one, and has its content been seen before."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import Entry

NIFTI = (".nii", ".nii.gz")


def is_nifti_name(name: str) -> bool:
    """Tells by its name whether a file is a NIfTI file."""
    return name.lower().endswith(NIFTI)


def has_dicom_mark(file: Path) -> bool:
    """Tells by its first bytes whether a file is a DICOM file."""
    with file.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def dicom_files(folder: Path) -> list[Path]:
    """Returns the DICOM files of a folder at any depth, sorted, without hidden ones and indexes."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".") and name != "DICOMDIR"]
    return sorted(file for file in found if has_dicom_mark(file))


def dicom_frames(file: Path) -> int:
    """Returns how many frames a DICOM file holds. Needs pydicom."""
    import pydicom

    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["NumberOfFrames"])
    return max(1, int(header.get("NumberOfFrames") or 1))


def find_volumes(folder: Path) -> list[Path]:
    """Returns the volumes of a folder at any depth, sorted.

    They are NIfTI files, DICOM files of several frames, and folders that hold further DICOM files, which may be the
    folder itself. Damaged DICOM files count as slices: reading tells what is wrong with them. Needs pydicom where there
    are DICOM files.
    """
    found = set()
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(parent, name)
            if name.startswith(".") or name == "DICOMDIR":
                continue
            if is_nifti_name(name):
                found.add(file)
            elif _is_dicom(file):
                found.add(file if _has_several_frames(file) else Path(parent))
    return sorted(found)


def _is_dicom(file: Path) -> bool:
    if not file.is_file():
        return False  # a socket, a broken link
    try:
        return has_dicom_mark(file)
    except OSError:
        return True  # what it is cannot be told: reading it will say why


def _has_several_frames(file: Path) -> bool:
    try:
        return dicom_frames(file) > 1
    except ImportError:
        raise
    except Exception:  # noqa: BLE001  pydicom raises a different class for each kind of damage
        return False


def dicom_has_picture(file: Path) -> bool:
    """Tells whether a DICOM file holds a picture; one that cannot be read counts as if, and reading it says why."""
    try:
        import pydicom

        return "Rows" in pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["Rows"])
    except Exception:  # noqa: BLE001  pydicom raises a different class for each kind of damage
        return True


def digest_volumes(root: Path, entries: Sequence[Entry]) -> list[str]:
    """Reads every volume's bytes once and returns a digest of each, in the order of ``entries``.

    The digest of a folder is that of its DICOM files, whatever they are called. Needs nibabel for NIfTI, and pydicom
    for single DICOM files.

    Raises:
        DatasetError: Entries are missing, unreadable, empty, or neither a NIfTI file of one volume, a DICOM file of
            several frames, nor a folder with DICOM files.
    """
    with ThreadPoolExecutor(max_workers=min(8, 2 * (os.cpu_count() or 1))) as pool:
        results = list(pool.map(lambda entry: _digest(root / entry.path), entries))
    faulty = [f"{entry.path}: {fault}" for entry, (_, fault) in zip(entries, results, strict=True) if fault]
    if faulty:
        expected = f"NIfTI files of one volume, DICOM files of several frames, or folders with a DICOM series in {root}"
        found = f"{len(faulty)} of {len(entries)} that are not"
        raise DatasetError(expected, found, "Replace, convert or remove them", faulty)
    return [digest for digest, _ in results]


def _digest(path: Path) -> tuple[str, str]:
    """Returns the digest of a volume, and what is wrong with it."""
    try:
        if path.is_dir():
            files = dicom_files(path)
            each = sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
            fault = "" if len(files) > 1 else "one DICOM file, no series" if files else "a folder without DICOM files"
            return hashlib.sha256("".join(each).encode()).hexdigest(), fault
        content = path.read_bytes()
        if not content:
            return "", "empty"
        fault = _nifti_fault(path) if is_nifti_name(path.name) else _dicom_fault(path)
        return hashlib.sha256(content).hexdigest(), fault
    except OSError as error:
        return "", error.strerror or str(error)


def _nifti_fault(path: Path) -> str:
    import nibabel

    try:
        shape = tuple(nibabel.load(path).shape)  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001  nibabel raises a different class for each kind of damage
        return f"no readable NIfTI file ({type(error).__name__})"
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return "" if len(shape) == 3 else f"of the shape {shape}, not one volume"


def _dicom_fault(path: Path) -> str:
    if not has_dicom_mark(path):
        return "neither NIfTI nor DICOM"
    try:
        frames = dicom_frames(path)
    except Exception as error:  # noqa: BLE001  pydicom raises a different class for each kind of damage
        return f"no readable DICOM file ({type(error).__name__})"
    return "" if frames > 1 else "a single DICOM slice: put the slices of a series into a folder of their own"
