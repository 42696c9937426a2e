"""From the labels of a data set to the names of its classes, in order."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

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
