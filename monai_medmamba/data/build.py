"""From a folder on disk to a checked data list."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from monai_medmamba.data.content import check_apart, check_one_label, digest_images, warn_of_repeats
from monai_medmamba.data.datalist import Datalist, Sample
from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import SPLITS, Entry, natural_order
from monai_medmamba.data.folders import list_child_folders, list_folders
from monai_medmamba.data.splits import assign_splits, join_groups
from monai_medmamba.data.table import find_table, list_table, lists_images

logger = logging.getLogger(__name__)

Digest = Callable[[Path, Sequence[Entry]], list[str]]


def build_datalist(
    dataset_dir: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    fractions: tuple[float, float, float] = (0.6, 0.1, 0.3),
    seed: int = 0,
) -> Datalist:
    """Lists the images of a data set by split and checks them before anything is trained.

    Three layouts are understood: class folders; train, val and test folders with class folders inside; a CSV or TSV
    file with the columns path and label and optionally patient and split, given by name or as the only one in the
    folder. Splits that the data set does not give are made: stratified by class, patients and repeated pictures kept
    together, the same for the same seed. Where only val or test is missing it is taken out of training, and the log
    says so. Classes are ordered by name.

    Args:
        dataset_dir: The data set's folder.
        csv: The table, relative to the working directory or to ``dataset_dir``; None looks for one.
        fractions: Shares of training, validation and test where splits are made; positive, summing to 1.
        seed: Chooses among the possible splits.

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
    return assemble(dataset_dir, csv, fractions, seed, digest_images)


def assemble(
    dataset_dir: str | os.PathLike[str],
    csv: str | os.PathLike[str] | None,
    fractions: tuple[float, float, float],
    seed: int,
    digest: Digest,
    folders_count: bool = False,
) -> Datalist:
    """Builds a data list of anything that lies in class folders or is named by a table.

    Args:
        dataset_dir: As ``build_datalist`` takes it.
        csv: As ``build_datalist`` takes it.
        fractions: As ``build_datalist`` takes them.
        seed: As ``build_datalist`` takes it.
        digest: Checks what was listed, and gives a digest of the content of each.
        folders_count: Whether a folder in a class folder is an item, as a file is; else it is refused.

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
    root = Path(os.path.abspath(os.path.expanduser(dataset_dir)))
    entries = _list_entries(root, csv, folders_count)
    class_names = tuple(sorted({entry.label for entry in entries}, key=natural_order))
    if len(class_names) < 2:
        cure = "Name the folder that holds one folder a class, and fill at least two"
        raise DatasetError(f"two classes or more in {root}", f"{len(class_names)}", cure, class_names)

    digests = digest(root, entries)
    check_one_label(entries, digests)
    entries = _settle_splits(entries, digests, shares, seed)
    _check_classes(entries, class_names)
    check_apart(entries, digests)
    warn_of_repeats(entries, digests)

    samples: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for entry in entries:
        sample: Sample = {"image": str(root / entry.path), "label": class_names.index(entry.label)}
        if entry.patient is not None:
            sample["patient"] = entry.patient
        samples[entry.split or ""].append(sample)
    return Datalist(class_names, samples["training"], samples["validation"], samples["test"], str(root))


def _list_entries(root: Path, csv: str | os.PathLike[str] | None, folders_count: bool) -> list[Entry]:
    if not root.is_dir():
        raise DatasetError(f"a folder {root}", "a file" if root.exists() else "nothing there", "Check the path")
    if csv is not None:
        table = Path(os.path.expanduser(csv))
        return list_table(root, table if table.is_file() else root / table)
    folders = list_child_folders(root)
    found = find_table(root)
    if found is not None and (not folders or lists_images(found)):
        logger.info("The table %s lists the images.", found)
        return list_table(root, found)
    if found is not None:
        logger.info("The table %s has no path and label columns: the folders list the images.", found)
    return list_folders(root, folders_count)


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


def _check_classes(entries: Sequence[Entry], class_names: Sequence[str]) -> None:
    """Refuses a class that a split lacks."""
    present = {(entry.label, entry.split) for entry in entries}
    absent = [f"{name}: none in {split}" for name in class_names for split in SPLITS if (name, split) not in present]
    if absent:
        cure = "Correct the folder or label names, add images, or leave the class out of all splits"
        raise DatasetError("every class in every split", f"{len(absent)} gaps", cure, absent)
