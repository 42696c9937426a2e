"""The fingerprint of a data set: listing, measuring and summing up, and the files it is kept in."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..data import DatasetError
from ..data.entry import SPLITS
from ..files import atomic_path
from ..version import __version__
from .duplicates import BITS_APART, CORRELATION, Group, exact_groups, near_groups, remarks_on
from .findings import WEIGHTS, gather
from .item import Item, Listing, Remark
from .listing import list_dataset
from .measure import Measurement
from .modality import guess_modality
from .page import write_page
from .scan import processors, scan
from .store import Store, clear_errors
from .summary import (
    describe_classes,
    describe_files,
    describe_intensity,
    describe_patients,
    describe_sizes,
    describe_view,
)
from .suspicions import suspicions

logger = logging.getLogger(__name__)

SCHEMA = "monai_medmamba.fingerprint"
SCHEMA_VERSION = "1.0"
FILE_NAME, PAGE_NAME, STORE_NAME = "fingerprint.json", "fingerprint.html", "measurements.sqlite"
RARE, UNEVEN = 20, 5.0


def fingerprint_dataset(
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
    patient_pattern: str | None = None,
    use_folders: bool = True,
    join_slices: bool = False,
    workers: int | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Measures a data set and writes ``fingerprint.json`` and ``fingerprint.html``.

    Nothing in the data set is changed. What was measured is kept in ``measurements.sqlite``, so a second run, or one
    after an interruption, measures only what is new. No patient's name or number is written, in no file.

    Args:
        data: A folder (class folders, split folders, DICOM or NIfTI files, or with a table), a CSV or TSV file, or an
            ``.npz`` file of MedMNIST's form.
        out: Folder for the results.
        csv: The table that lists the images of a folder, where there are several.
        columns: Its columns for path, label, patient and split, where they have other names.
        path_form: How its value becomes a path: ``Images/{}.png``, or ``**/{}`` for files in any folder.
        split_names: What it calls the splits: ``{"1": "training", "0": "test"}``.
        patient_pattern: Regular expression that finds the patient in an image's path: its first group, or all of it.
        use_folders: Whether folders are classes where no table says otherwise.
        join_slices: Whether the DICOM files below a folder in a class folder, or below a folder that a table names, are
            one volume, and those of several frames one each, as bundles of volumes take them.
        workers: Images at a time; None takes one a processor.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        The content of ``fingerprint.json``.

    Raises:
        DatasetError: There is nothing to measure, or it is not clear what; an ``.npz`` file is damaged; or ``out`` lies
            in the data set.
        OSError: The results cannot be written.

    Example:
        >>> import tempfile
        >>> from monai_medmamba.data import endoscopy_phantoms
        >>> folder = tempfile.mkdtemp()
        >>> data = endoscopy_phantoms(folder + "/set", images_per_class=3, size=32)
        >>> content = fingerprint_dataset(data, folder + "/out")
        >>> content["dataset"]["images"], content["sizes"]["width"]["median"]
        (24, 32.0)
    """
    out = Path(os.path.abspath(os.path.expanduser(out)))
    listing = list_dataset(
        data,
        csv=csv,
        columns=columns,
        path_form=path_form,
        split_names=split_names,
        patient_pattern=patient_pattern,
        use_folders=use_folders,
        join_slices=join_slices,
    )
    name = Path(os.path.abspath(os.path.expanduser(data))).name
    if listing.layout != "medmnist" and out.is_relative_to(listing.root):
        cure = "Name another folder, as in --out ../fingerprint: the results would be taken for part of the data"
        raise DatasetError(f"an output folder outside {listing.root}", str(out), cure)
    path = out / STORE_NAME
    with clear_errors(path), Store(path, os.path.join(listing.root, name)) as store:
        measured, failures = scan(listing, store, workers=workers or processors(), progress=progress)
        content, groups = _sum_up(name, listing, measured, failures)
        with atomic_path(out / FILE_NAME) as temporary:
            text = json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False)
            temporary.write_text(text + "\n", encoding="ascii")
        write_page(out / PAGE_NAME, content, listing.items, measured, groups, store.preview)
    return content


def load_fingerprint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads a fingerprint.

    Args:
        path: ``fingerprint.json``, or the folder that holds it.

    Returns:
        Its content, of a schema that this version understands.

    Raises:
        DatasetError: The file cannot be read, or is no fingerprint of this version.

    Example:
        >>> import tempfile
        >>> from monai_medmamba.data import endoscopy_phantoms
        >>> folder = tempfile.mkdtemp()
        >>> data = endoscopy_phantoms(folder + "/set", images_per_class=3, size=32)
        >>> _ = fingerprint_dataset(data, folder + "/out")
        >>> load_fingerprint(folder + "/out")["labels"]["imbalance"]["majority_share"]
        0.125
    """
    file = Path(path) / FILE_NAME if Path(path).is_dir() else Path(path)
    cure = "Run medmamba fingerprint again"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or f"damage ({error})"
        raise DatasetError(f"a fingerprint in {file}", found, cure) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise DatasetError(f"a fingerprint in {file}", "another kind of file", cure)
    if str(content.get("schema_version")).partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        found = f"one of version {content.get('schema_version')}"
        raise DatasetError(f"a fingerprint of version {SCHEMA_VERSION} in {file}", found, cure)
    return content


def _sum_up(
    name: str, listing: Listing, measured: Mapping[str, Measurement], failures: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, list[Group]]]:
    """Returns the content of the fingerprint, and the groups of images that are the same or alike."""
    patients = _patients(listing.items, measured)
    if listing.labels_from == "folders" and _folders_are_patients(listing.items, patients):
        listing.items = [replace(item, label=None) for item in listing.items]
        listing.labels_from, listing.layout = "nothing", "patient folders"
        listing.remarks = [r for r in listing.remarks if r.code not in ("nested", "unlabelled", "other_file")]
    exact, near = exact_groups(listing.items, measured), near_groups(listing.items, measured)
    classes = describe_classes(listing, patients)
    remarks = [
        *listing.remarks,
        *(Remark("unreadable", path, reason) for path, reason in failures.items()),
        *suspicions(measured),
        *remarks_on(exact, "same"),
        *remarks_on(near, "near"),
        *_remarks_on_patients(listing.items, patients),
        *_remarks_on_classes(listing, classes),
    ]
    found = gather(remarks)
    weights = Counter(finding["weight"] for finding in found)
    labels = [entry["name"] for entry in classes["classes"]]
    content = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "software": {"monai_medmamba": __version__},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {
            "name": name,
            "layout": listing.layout,
            "images": len(listing.items),
            "readable": len(measured),
            "unreadable": len(failures),
            "other_files": len(listing.others),
        },
        "files": describe_files(measured),
        "sizes": describe_sizes(measured),
        "field_of_view": describe_view(measured),
        "intensity": describe_intensity(listing.items, measured),
        "labels": classes,
        "splits": {split: sum(item.split == split for item in listing.items) for split in SPLITS}
        if any(item.split for item in listing.items)
        else None,
        "patients": describe_patients(listing.items, patients, measured),
        "duplicates": {
            "exact": _describe_groups(exact),
            "near": {"bits_apart": BITS_APART, "correlation": CORRELATION, **_describe_groups(near)},
        },
        "modality": guess_modality(name, labels, measured),
        "summary": {weight: weights[weight] for weight in WEIGHTS},
        "findings": found,
        "other_files": listing.others,
    }
    return content, {"exact": exact, "near": near}


def _patients(items: Sequence[Item], measured: Mapping[str, Measurement]) -> dict[str, str]:
    """Returns whom each image shows, where that is known."""
    found = {}
    for item in items:
        patient = item.patient or (measured[item.path].tags.get("patient") if item.path in measured else None)
        if patient is not None:
            found[item.path] = patient
    return found


def _folders_are_patients(items: Sequence[Item], patients: Mapping[str, str]) -> bool:
    """Tells whether each folder holds one patient and each patient has one folder: then folders are no classes."""
    labelled = [item for item in items if item.label is not None]
    pairs = {(item.label, patients.get(item.path)) for item in labelled}
    labels, people = {label for label, _ in pairs}, {patient for _, patient in pairs}
    return None not in people and len(labels) > 1 and len(pairs) == len(labels) == len(people)


def _remarks_on_patients(items: Sequence[Item], patients: Mapping[str, str]) -> list[Remark]:
    """Names the files of a patient in several splits, the patient never."""
    by_patient: dict[str, dict[str, str]] = defaultdict(dict)
    for item in items:
        if item.split is not None and item.path in patients:
            by_patient[patients[item.path]].setdefault(item.split, item.path)
    return [
        Remark("patient_across_splits", next(iter(met.values())), " = ".join(f"{p} ({s})" for s, p in met.items()))
        for met in by_patient.values()
        if len(met) > 1
    ]


def _remarks_on_classes(listing: Listing, labels: Mapping[str, Any]) -> list[Remark]:
    classes = labels["classes"]
    remarks = []
    if listing.labels_from != "nothing" and not labels["several_per_image"] and len(classes) < 2:
        remarks.append(Remark("single_class", ", ".join(entry["name"] for entry in classes) or "no class"))
    splits = [split for split in SPLITS if any(item.split == split for item in listing.items)]
    for entry in classes:
        remarks += [
            Remark("class_missing", entry["name"], split) for split in splits if not entry["by_split"].get(split)
        ]
        if entry["images"] < RARE:
            remarks.append(Remark("rare_class", entry["name"], f"{entry['images']} images"))
    ratio = labels["imbalance"]["largest_to_smallest"]
    if len(classes) > 1 and ratio >= UNEVEN:
        least = min(classes, key=lambda entry: entry["images"])
        remarks.append(Remark("imbalance", least["name"], f"the largest class has {ratio:.3g} times as many images"))
    return remarks


def _describe_groups(groups: Sequence[Group]) -> dict[str, Any]:
    return {
        "groups": len(groups),
        "images": sum(len(group.files) for group in groups),
        "across_splits": sum(group.across_splits for group in groups),
        "across_labels": sum(group.across_labels for group in groups),
        "list": [asdict(group) for group in groups],
    }
