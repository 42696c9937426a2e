"""From a folder on disk to a checked data list."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from monai_medmamba.data.class_naming import name_classes, name_marks
from monai_medmamba.data.content import check_apart, check_one_label, digest_images, warn_of_repeats
from monai_medmamba.data.datalist import Datalist, Sample, indices_of
from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import SPLITS, Entry
from monai_medmamba.data.exclusion import exclude_contradictions, exclude_named
from monai_medmamba.data.layout import Listed, list_entries
from monai_medmamba.data.medmnist_images import unpacked_name
from monai_medmamba.data.patient_pattern import add_patients
from monai_medmamba.data.splits import assign_splits, join_groups

logger = logging.getLogger(__name__)

Digest = Callable[[Path, Sequence[Entry]], list[str]]


def build_datalist(
    dataset_dir: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    fractions: tuple[float, float, float] = (0.6, 0.1, 0.3),
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
    label_names: Mapping[str, str] | None = None,
    patient_pattern: str | None = None,
    exclude: Sequence[str] = (),
    leave_out_contradictions: bool = False,
) -> Datalist:
    """Lists the images of a data set by split and checks them before anything is trained.

    Four layouts are understood: class folders; train, val and test folders with class folders inside; a CSV or TSV
    file with the columns path and label and optionally patient and split, given by name or as the only one in the
    folder; and an ``.npz`` file of MedMNIST's form, which is unpacked once, in the user's cache folder, and keeps its
    splits; a file in which an image has several labels (ChestMNIST) becomes a list with a 0 or 1 for each class. Splits
    that the data set does not give are made: stratified by class, patients and repeated pictures kept
    together, the same for the same seed. Where only val or test is missing it is taken out of training, and the log
    says so. Classes are ordered by label, in which numbers count as numbers.

    Args:
        dataset_dir: The data set's folder, its table, or its ``.npz`` file.
        csv: The table, relative to the working directory or to ``dataset_dir``; None looks for one.
        fractions: Shares of training, validation and test where splits are made; positive, summing to 1.
        seed: Chooses among the possible splits.
        columns: The table's columns for path, label, patient and split, where they have other names.
        path_form: How the table's value becomes a path: ``Images/{}.png`` puts it in the place of the braces, ``**/{}``
            finds the file at any depth, and refuses a name that is there twice; None takes it as it is.
        split_names: What the table calls the splits: ``{"1": "training", "0": "test"}``.
        label_names: The class name to show for a label. Labels that share a name become one class. The
            two-dimensional MedMNIST sets are known by the name of their file.
        patient_pattern: Regular expression that finds the patient in an image's path, where no column says: its first
            group, or all of it.
        exclude: Images to leave out: paths relative to the data set's folder, or patterns of them with ``*`` and
            ``?``; or ``<file>.npz#train_images/7``. The log names them.
        leave_out_contradictions: Whether a picture in two splits or under two labels is left out with a warning,
            instead of refused: the test split keeps its copy, before validation and training; where one split holds
            both labels, no copy is kept.

    Returns:
        The data list, with absolute paths.

    Raises:
        DatasetError: Something is missing, unreadable, empty, no picture, or not listed properly; classes differ
            between splits; a picture has two labels; a picture or a patient is in two splits; a class is too small to
            split.

    Example:
        >>> import tempfile
        >>> from monai_medmamba.data import endoscopy_phantoms
        >>> folder = endoscopy_phantoms(tempfile.mkdtemp() + "/set", images_per_class=5, size=32)
        >>> datalist = build_datalist(folder)
        >>> len(datalist.training), len(datalist.validation), len(datalist.test)
        (24, 8, 8)
    """
    listed = list_entries(dataset_dir, csv, columns=columns, path_form=path_form, split_names=split_names)
    entries = exclude_named(listed.entries, [unpacked_name(name) for name in exclude])
    if patient_pattern is not None:
        entries = add_patients(entries, patient_pattern)
    names = listed.label_names if label_names is None else label_names
    return assemble(
        listed._replace(entries=entries, label_names=dict(names)),
        fractions,
        seed,
        digest_images,
        leave_out_contradictions=leave_out_contradictions,
    )


def assemble(
    listed: Listed,
    fractions: tuple[float, float, float],
    seed: int,
    digest: Digest,
    *,
    leave_out_contradictions: bool = False,
) -> Datalist:
    """Builds a data list of what was listed: classes, splits and checks.

    Args:
        listed: What there is.
        fractions: As ``build_datalist`` takes them.
        seed: As ``build_datalist`` takes it.
        digest: Checks what was listed, and gives a digest of the content of each.
        leave_out_contradictions: As ``build_datalist`` takes it.

    Returns:
        The data list.

    Raises:
        DatasetError: As ``build_datalist`` and ``digest`` raise it.
    """
    shares = dict(zip(SPLITS, fractions, strict=True))
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise DatasetError(
            "three positive fractions that sum to 1", f"{fractions}", "Correct them, as in (0.6, 0.1, 0.3)"
        )
    root, entries = listed.root, listed.entries
    if listed.several_labels:
        class_names = name_marks(entries, listed.label_names)
    else:
        entries, class_names = name_classes(entries, listed.label_names)
    if len(class_names) < 2:
        cure = "Name the folder that holds one folder a class, and fill at least two"
        raise DatasetError(f"two classes or more in {root}", f"{len(class_names)}", cure, class_names)

    digests = digest(root, entries)
    if leave_out_contradictions:
        entries, digests = exclude_contradictions(entries, digests)
    check_one_label(entries, digests)
    if listed.several_labels and {entry.split for entry in entries} != set(SPLITS):
        cure = "Name a file that has all three: splits are made for images of one label only"
        raise DatasetError(f"training, validation and test images in {root}", "fewer splits", cure)
    entries = _settle_splits(entries, digests, shares, seed)
    labels = [_label(entry.label, class_names, listed.several_labels) for entry in entries]
    _check_classes(entries, labels, class_names)
    check_apart(entries, digests)
    warn_of_repeats(entries, digests)

    samples: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for entry, label in zip(entries, labels, strict=True):
        sample: Sample = {"image": str(root / entry.path), "label": label}
        if entry.patient is not None:
            sample["patient"] = entry.patient
        samples[entry.split or ""].append(sample)
    return Datalist(class_names, samples["training"], samples["validation"], samples["test"], str(root))


def _settle_splits(
    entries: Sequence[Entry], digests: Sequence[str], shares: dict[str, float], seed: int
) -> list[Entry]:
    """Gives each entry a split, leaving those that the data set gives."""
    given = {entry.split for entry in entries} - {None}
    missing = {split: shares[split] for split in SPLITS if split not in given}
    if not missing:
        return list(entries)
    if given and "training" not in given:
        raise DatasetError(
            "a training split", f"only {', '.join(sorted(map(str, given)))}", "Add a train folder or rows"
        )
    if given:
        logger.warning("No %s split in the data set: taken out of training.", " and no ".join(missing))
    wanted = {split: share for split, share in shares.items() if split == "training" or split in missing}
    wanted = {split: share / sum(wanted.values()) for split, share in wanted.items()}
    pool = [i for i, entry in enumerate(entries) if entry.split in (None, "training")]
    groups = join_groups([entries[i].patient for i in pool], [digests[i] for i in pool])
    names, labels = [entries[i].path for i in pool], [entries[i].label for i in pool]
    chosen = dict(zip(pool, assign_splits(names, labels, groups, wanted, seed), strict=True))
    return [replace(entry, split=chosen.get(i, entry.split)) for i, entry in enumerate(entries)]


def _label(label: str, class_names: Sequence[str], several: bool) -> int | list[int]:
    return [int(mark) for mark in label.split()] if several else class_names.index(label)


def _check_classes(entries: Sequence[Entry], labels: Sequence[int | list[int]], class_names: Sequence[str]) -> None:
    """Refuses a class that a split lacks."""
    present = {(i, e.split) for e, label in zip(entries, labels, strict=True) for i in indices_of(label)}
    absent = [
        f"{k}: none in {split}" for i, k in enumerate(class_names) for split in SPLITS if (i, split) not in present
    ]
    if absent:
        cure = "Correct the folder or label names, add images, or leave the class out of all splits"
        raise DatasetError("every class in every split", f"{len(absent)} gaps", cure, absent)
