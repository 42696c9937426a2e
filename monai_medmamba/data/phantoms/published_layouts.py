"""Writes drawn pictures the way published data sets lie on disk.

Names of folders, tables and columns are those of the publishers: Fetal-Planes-DB (Zenodo 3904280), PAD-UFES-20
(Mendeley zr7vgbcyr2), CPN X-ray (class folders), BUSI (Al-Dhabyani et al. 2020) and MedMNIST.
"""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from monai_medmamba.data.medmnist_names import NAMES

TURNS = ("train", "test", "train", "val", "train")
"""The splits that pictures of a class are dealt to, in turn."""


class Phantom(NamedTuple):
    """One drawn picture.

    Args:
        label: Name of its class.
        number: Which one of its class, from 0.
        patient: Whom it shows, from 1.
        picture: The values, uint8.
    """

    label: str
    number: int
    patient: int
    picture: np.ndarray


def class_folders(folder: Path, phantoms: Sequence[Phantom]) -> None:
    """``<class>/<class>_000.png``, as CPN X-ray and Kvasir have it."""
    for p in phantoms:
        _save(folder / p.label / f"{p.label}_{p.number:03d}.png", p.picture)


def split_folders(folder: Path, phantoms: Sequence[Phantom]) -> None:
    """``train/<class>/...``, ``val/...`` and ``test/...``."""
    for p in phantoms:
        _save(folder / _turn(p) / p.label / f"{p.label}_{p.number:03d}.png", p.picture)


def fetal_planes_db(folder: Path, phantoms: Sequence[Phantom]) -> None:
    """``FETAL_PLANES_DB_data.csv`` with semicolons and a blank after its last column, beside ``Images``."""
    rows = []
    planes = list(dict.fromkeys(p.label for p in phantoms))
    for p in phantoms:
        plane = planes.index(p.label) + 1
        name = f"Patient{p.patient:05d}_Plane{plane}_{p.number + 1}_of_{len(phantoms) // len(planes)}"
        _save(folder / "Images" / f"{name}.png", p.picture)
        rows.append([name, p.patient, p.label, "Not A Brain", "Op. 1", "Voluson E6", p.patient % 2])
    header = ["Image_name", "Patient_num", "Plane", "Brain_plane", "Operator", "US_Machine", "Train "]
    _table(folder / "FETAL_PLANES_DB_data.csv", header, rows, ";")


def pad_ufes_20(folder: Path, phantoms: Sequence[Phantom]) -> None:
    """``metadata.csv`` beside ``imgs_part_1`` to ``imgs_part_3``; a lesion has a number of its own."""
    rows: list[list[object]] = []
    lesions: dict[tuple[int, str], int] = {}
    for i, p in enumerate(phantoms):
        lesion = lesions.setdefault((p.patient, p.label), len(lesions) + 1)
        name = f"PAT_{p.patient}_{lesion}_{i}.png"
        _save(folder / f"imgs_part_{1 + 3 * i // len(phantoms)}" / name, p.picture)
        rows.append([f"PAT_{p.patient}", lesion, 40 + p.patient % 50, p.label, name, "True"])
    header = ["patient_id", "lesion_id", "age", "diagnostic", "img_id", "biopsed"]
    _table(folder / "metadata.csv", header, rows, ",")


def busi(folder: Path, phantoms: Sequence[Phantom]) -> None:
    """``<class>/<class> (1).png`` with its mask ``<class> (1)_mask.png``, and a table of the BreastMNIST split."""
    rows = []
    for p in phantoms:
        name = f"{p.label}/{p.label} ({p.number + 1})"
        _save(folder / f"{name}.png", p.picture)
        axis = np.linspace(-1, 1, len(p.picture))
        _save(folder / f"{name}_mask.png", (np.hypot(*np.meshgrid(axis, axis)) < 0.5).astype(np.uint8) * 255)
        rows.append([f"{name}.png", p.label, int(p.label != "malignant"), _turn(p)])
    _table(folder / "breastmnist_split.csv", ["file", "busi_class", "breastmnist_label", "split"], rows, ",")


def medmnist(folder: Path, phantoms: Sequence[Phantom]) -> None:
    """One ``.npz`` file, named after the MedMNIST set that has these classes, where there is one."""
    names = list(dict.fromkeys(p.label for p in phantoms))
    arrays = {}
    for split in dict.fromkeys(TURNS):
        some = [p for p in phantoms if _turn(p) == split]
        arrays[f"{split}_images"] = np.stack([p.picture for p in some])
        arrays[f"{split}_labels"] = np.array([[names.index(p.label)] for p in some], np.uint8)
    folder.mkdir()
    np.savez_compressed(folder / medmnist_file(names), **arrays)  # type: ignore[arg-type]


def medmnist_file(class_names: Sequence[str]) -> str:
    """Returns the name of the file that ``medmnist`` writes."""
    known = [f"{name}_" for name, classes in NAMES.items() if classes == tuple(class_names)]
    return f"{known[0] if known else ''}phantoms.npz"


LAYOUTS: dict[str, Callable[[Path, Sequence[Phantom]], None]] = {
    "class_folders": class_folders,
    "split_folders": split_folders,
    "fetal_planes_db": fetal_planes_db,
    "pad_ufes_20": pad_ufes_20,
    "cpn_xray": class_folders,
    "medmnist": medmnist,
    "busi": busi,
}


def _turn(phantom: Phantom) -> str:
    return TURNS[phantom.number % len(TURNS)]


def _save(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def _table(path: Path, header: list[str], rows: list[list[object]], delimiter: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
