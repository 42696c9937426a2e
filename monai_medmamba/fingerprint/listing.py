"""From a path to a list of images: which layout it is, and what class, split and patient each image has."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..data import DatasetError
from ..data.entry import SPLIT_NAMES
from ..data.patient_pattern import compile_pattern, find_patient
from ..data.table import TABLE_SUFFIXES, find_table, lists_images
from ..data.volume_content import dicom_frames
from .item import DICOM, SERIES, Item, Listing, Remark
from .medmnist import list_arrays
from .rows import list_rows
from .tree import ARRAY_SUFFIXES, kind_of, walk

AboutTable = tuple[Mapping[str, str] | None, str | None, Mapping[str, str] | None]
"""Columns, path form and names of splits."""

SUBJECT = re.compile(r"(?:^|/)(sub-[A-Za-z0-9]+)(?=[_/.])")
"""How BIDS, the usual layout of NIfTI files, names a subject (Brain Imaging Data Structure, 'Entities')."""


def list_dataset(
    data: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
    patient_pattern: str | None = None,
    use_folders: bool = True,
    join_slices: bool = False,
) -> Listing:
    """Lists the images of a data set without reading them, and without refusing what can be told as a finding.

    Args:
        data: A folder, an ``.npz`` file of MedMNIST's form, or a CSV or TSV file.
        csv: The table that lists the images of a folder, relative to the working directory or to the folder.
        columns: Names of the table's columns for ``path``, ``label``, ``patient`` and ``split``, where they differ
            from those that ``build_datalist`` knows.
        path_form: How the table's value becomes a path, as ``build_datalist`` takes it.
        split_names: What the table calls the splits.
        patient_pattern: Regular expression, searched in the path of each image that has no patient; its first group,
            or the whole match, is the patient.
        use_folders: Whether folders are classes where no table says otherwise.
        join_slices: Whether the DICOM files below a folder in a class folder, or below a folder that a table names, are
            one volume, and those of several frames one each, as bundles of volumes take them.

    Returns:
        The list.

    Raises:
        DatasetError: There is no such file or folder, it holds no image, or it does not say which of several files is
            meant.
    """
    path = Path(os.path.abspath(os.path.expanduser(data)))
    suffix = path.suffix.lower()
    if path.is_file() and suffix in ARRAY_SUFFIXES:
        listing = list_arrays(path)
    elif path.is_file() and suffix in TABLE_SUFFIXES:
        listing = list_rows(path.parent, path, columns, path_form, split_names, join_slices)
    elif path.is_dir():
        listing = _list_folder(path, csv, (columns, path_form, split_names), use_folders, join_slices)
    else:
        found = "a file of another kind" if path.exists() else "nothing there"
        cure = "Name the folder of the images, their table, or their .npz file; unpack an archive first"
        raise DatasetError(f"a folder, a .csv, .tsv or .npz file at {path}", found, cure)
    if not listing.items:
        cure = "Name the folder that holds png, jpg, bmp, tif, DICOM or NIfTI files, or one .npz file"
        raise DatasetError(f"images in {path}", "none", cure, [f"{r.path}: {r.detail}" for r in listing.remarks])
    if join_slices:
        listing.items = [_with_frames(Path(listing.root), item) for item in listing.items]
    listing.items = [_with_patient(item, patient_pattern) for item in listing.items]
    odd = [name for name in [*(item.path for item in listing.items), *listing.others] if not name.isprintable()]
    listing.remarks += [Remark("odd_name", name) for name in odd]
    return listing


def _list_folder(
    root: Path, csv: str | os.PathLike[str] | None, about_table: AboutTable, use_folders: bool, join_slices: bool
) -> Listing:
    table = None
    if csv is not None:
        table = Path(os.path.expanduser(csv))
        table = table if table.is_file() else root / table
    else:
        only = find_table(root)
        if only is not None and (any(about_table) or lists_images(only)):
            table = only
    if table is not None:
        return list_rows(root, table, *about_table, join_slices)
    if any(about_table):
        raise DatasetError(f"one table in {root}", "none or several", "Name it with csv, or --csv")
    names, remarks = walk(root)
    kinds = {name: kind_of(root / name) for name in names}
    arrays = [name for name in names if name.lower().endswith(ARRAY_SUFFIXES)]
    if arrays and not any(kinds.values()):
        if len(arrays) > 1:
            raise DatasetError(f"one .npz file in {root}", f"{len(arrays)}", "Name the one that you mean", arrays)
        return list_arrays(root / arrays[0])
    images = {name: kind for name, kind in kinds.items() if kind is not None}
    listing = _list_tree(str(root), images, use_folders, join_slices)
    listing.others = [name for name, kind in kinds.items() if kind is None]
    listing.remarks += remarks
    listing.remarks += [Remark("other_file", name) for name in listing.others if "/" in name]
    return listing


def _list_tree(root: str, images: Mapping[str, str], use_folders: bool, join_slices: bool) -> Listing:
    """Reads splits and classes off the folders: ``<split>/<class>/``, ``<split>/`` or ``<class>/``."""
    first = {name.split("/")[0] for name in images if "/" in name}
    splits = {folder for folder in first if folder.lower() in SPLIT_NAMES} if use_folders else set()
    if join_slices:
        images = _joined(images, splits)
    items, remarks = [], []
    for name, kind in images.items():
        folders = name.split("/")[:-1]
        split = SPLIT_NAMES[folders.pop(0).lower()] if folders and folders[0] in splits else None
        label = folders[0] if folders and use_folders else None
        items.append(Item(name, kind, label, split))
        if splits and split is None:
            remarks.append(Remark("outside_splits", name))
        if len(folders) > 1 and use_folders:
            remarks.append(Remark("nested", name))
    labelled = any(item.label is not None for item in items)
    if labelled:
        remarks += [Remark("unlabelled", item.path) for item in items if item.label is None]
    layout = "split folders" if splits else "class folders" if labelled else "flat folder"
    return Listing(root, layout, "folders" if labelled else "nothing", items, remarks=remarks)


def _joined(images: Mapping[str, str], splits: set[str]) -> dict[str, str]:
    """Puts each folder of a class folder in the place of the DICOM files in it."""
    found = {}
    for name, kind in images.items():
        parts = name.split("/")
        keep = 3 if parts[0] in splits else 2
        if kind == DICOM and len(parts) > keep:
            found["/".join(parts[:keep])] = SERIES
        else:
            found[name] = kind
    return dict(sorted(found.items()))


def _with_frames(root: Path, item: Item) -> Item:
    """Takes a DICOM file of several frames for a volume."""
    if item.kind != DICOM:
        return item
    try:
        several = dicom_frames(root / item.path) > 1
    except Exception:  # noqa: BLE001  pydicom raises many kinds; the reader says what is wrong with it
        return item
    return replace(item, kind=SERIES) if several else item


def _with_patient(item: Item, pattern: str | None) -> Item:
    if item.patient is not None:
        return item
    if pattern is None:
        patient = find_patient(item.path, SUBJECT) if item.kind == "nifti" else None
    else:
        patient = find_patient(item.path, compile_pattern(pattern))
    return item if patient is None else replace(item, patient=patient)
