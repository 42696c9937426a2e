"""Cross-validation: which images a fold learns from, and which it is judged by."""

import hashlib
from dataclasses import replace
from pathlib import Path

from monai_medmamba.data.datalist import Datalist, Sample
from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.splits import assign_splits, join_groups


def take_fold(data: Datalist, fold: int, folds: int, seed: int = 0) -> Datalist:
    """Parts training and validation together into folds, and takes one of them for validation.

    The test split stays as it is. Folds are stratified by class; a patient, and pictures with the same content, stay
    in one fold. Over all folds each image is in validation once.

    Args:
        data: The data list.
        fold: Which one, from 0.
        folds: How many, 2 or more.
        seed: Chooses among the possible partitions; the same one for all folds of a run.

    Returns:
        A data list with other training and validation splits.

    Raises:
        ValueError: There is no such fold.
        DatasetError: A class is too small for so many folds.

    Example:
        >>> take_fold(Datalist(("a", "b"), [], [], [], "/set"), fold=5, folds=5)
        Traceback (most recent call last):
        ValueError: expected 2 folds or more and a fold from 0 to 4, got fold 5 of 5
    """
    if folds < 2 or not 0 <= fold < folds:
        raise ValueError(f"expected 2 folds or more and a fold from 0 to {folds - 1}, got fold {fold} of {folds}")
    root = Path(data.root)
    pool = [*data.training, *data.validation]
    names = [Path(item["image"]).relative_to(root).as_posix() for item in pool]
    labels = [_class_of(item, data) for item in pool]
    digests = [_digest(Path(item["image"])) for item in pool]
    groups = join_groups([item.get("patient") for item in pool], digests)
    parts = {str(i): 1 / folds for i in range(folds)}
    try:
        chosen = assign_splits(names, labels, groups, parts, seed)
    except DatasetError as error:
        raise DatasetError(
            f"classes with {folds} patients or distinct images each, one for every fold",
            "fewer in some",
            f"Lower the number of folds. {error}",
        ) from error
    held_out = [part == str(fold) for part in chosen]
    return replace(
        data,
        training=[item for item, out in zip(pool, held_out, strict=True) if not out],
        validation=[item for item, out in zip(pool, held_out, strict=True) if out],
    )


def _class_of(item: Sample, data: Datalist) -> str:
    label = item["label"]
    if not isinstance(label, int):
        cure = "Use the data set's own splits"
        raise DatasetError("one label an image, to make folds by", "several", cure)
    return data.class_names[label]


def _digest(path: Path) -> str | None:
    """Returns the SHA-256 of a file; None of a folder, such as that of a DICOM series."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
