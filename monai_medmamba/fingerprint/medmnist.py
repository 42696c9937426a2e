"""Lists the images of a MedMNIST ``.npz`` file."""

from __future__ import annotations

from pathlib import Path

from ..data.medmnist_file import read_parts
from ..data.medmnist_names import names_for
from .item import ARRAY, Item, Listing, Remark


def list_arrays(path: Path) -> Listing:
    """Lists the images of a file with the arrays ``train_images``, ``train_labels``, ``val_images`` and so on.

    Args:
        path: The file, as the MedMNIST project publishes them.

    Returns:
        One item an image, named ``<file>#<array>/<place>``, its class the number in the array of labels. Where an
        image has several labels (ChestMNIST) the items have none, and ``columns`` counts them by name, in their order.

    Raises:
        DatasetError: As ``read_parts``.
    """
    listing = Listing(str(path.parent), "medmnist", "nothing")
    parts, listing.others = read_parts(path)
    names = names_for(path.name)
    for part in parts:
        labels = part.labels
        if labels is None:
            listing.remarks.append(Remark("unlabelled", f"{path.name}#{part.array}", "no array of labels"))
        elif labels.shape[1] > 1:
            marked = (labels != 0).sum(axis=0)
            listing.columns[part.split] = {names.get(str(i), str(i)): int(n) for i, n in enumerate(marked)}
            labels = None
        else:
            listing.labels_from = "arrays"
        for place in range(part.shape[0]):
            label = None if labels is None else str(labels[place, 0])
            listing.items.append(Item(f"{path.name}#{part.array}/{place}", ARRAY, label, part.split))
    return listing
