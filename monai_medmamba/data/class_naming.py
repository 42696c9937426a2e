"""From the labels of a data set to the names of its classes, in order."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import Entry, natural_order

logger = logging.getLogger(__name__)


def name_classes(
    entries: Sequence[Entry], label_names: Mapping[str, str] | None = None
) -> tuple[list[Entry], tuple[str, ...]]:
    """Replaces labels by the names to show.

    Classes keep the order of their labels, in which numbers count as numbers. Labels that share a name become one
    class; a label without a name is its own.

    Args:
        entries: The images.
        label_names: Name by label.

    Returns:
        The images with names for labels, and the names in order.
    """
    names = dict(label_names or {})
    labels = sorted({entry.label for entry in entries}, key=natural_order)
    unmet = [label for label in names if label not in labels]
    if unmet:
        logger.warning("No image has the labels %s that label_names gives names to.", ", ".join(unmet))
    named = [replace(entry, label=names.get(entry.label, entry.label)) for entry in entries]
    return named, tuple(dict.fromkeys(names.get(label, label) for label in labels))


def name_marks(entries: Sequence[Entry], label_names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Returns the class names of images with several labels, each label a 0 or 1 a class with blanks between.

    Raises:
        DatasetError: Two classes have one name.
    """
    count = len(entries[0].label.split()) if entries else 0
    named = [(label_names or {}).get(str(i), str(i)) for i in range(count)]
    if len(set(named)) < len(named):
        raise DatasetError("a name of its own for each label", ", ".join(named), "Correct label_names")
    return tuple(named)
