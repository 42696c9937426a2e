"""The data list: which image is in which split, with which label. MONAI's form, with the class names beside it."""

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import torch

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.entry import SPLITS
from monai_medmamba.files import atomic_path


class Sample(TypedDict, total=False):
    """One item: ``image`` (absolute path), ``label`` and, where known, ``patient``.

    The label is an index into the class names or, where an image may have several, a 0 or 1 for each of them.
    """

    image: str
    label: int | list[int]
    patient: str


@dataclass(frozen=True)
class Datalist:
    """The images of a data set by split.

    Args:
        class_names: The name of each label, in order.
        training: Items to learn from.
        validation: Items to choose a checkpoint by.
        test: Items to report on.
        root: Absolute path of the folder that holds the images.

    Raises:
        DatasetError: A label is neither an index into ``class_names`` nor a 0 or 1 for each, or both kinds are mixed.

    Example:
        >>> items = [{"image": "/set/a/1.png", "label": 0}, {"image": "/set/b/2.png", "label": 1}]
        >>> Datalist(("a", "b"), items, [], [], "/set").counts()["training"]
        {'a': 1, 'b': 1}
    """

    class_names: tuple[str, ...]
    training: list[Sample]
    validation: list[Sample]
    test: list[Sample]
    root: str

    def __post_init__(self) -> None:
        items = [item for split in SPLITS for item in self.split(split)]
        count, several = len(self.class_names), self.several_labels
        bad = [f"{item['image']}: {item['label']}" for item in items if not _is_label(item["label"], count, several)]
        if bad:
            kind = f"{count} labels of 0 or 1" if several else f"labels from 0 to {count - 1}"
            expected = f"{kind}, one for each of {', '.join(self.class_names)}"
            raise DatasetError(expected, f"{len(bad)} others", "Correct the labels or add the class names", bad)

    @property
    def several_labels(self) -> bool:
        """Whether an image may have several labels, or none."""
        first = next((item for split in SPLITS for item in self.split(split)), None)
        return first is not None and isinstance(first["label"], list)

    def split(self, name: str) -> list[Sample]:
        """Returns the items of ``training``, ``validation`` or ``test``."""
        return {"training": self.training, "validation": self.validation, "test": self.test}[name]

    def counts(self) -> dict[str, dict[str, int]]:
        """Returns the number of images, by split and class name; an image counts once for each of its labels."""
        found = {}
        for split in SPLITS:
            tally = Counter(index for item in self.split(split) for index in indices_of(item["label"]))
            found[split] = {name: tally[i] for i, name in enumerate(self.class_names)}
        return found

    def class_weights(self, power: float = 1.0) -> torch.Tensor:
        """Weighs classes against their frequency in training, for a loss or a sampler.

        Args:
            power: What the inverse frequencies are raised to: 1 evens classes out, 0.5 does half of it, 0 nothing.

        Returns:
            Tensor (num_classes,), float32, positive, mean 1.

        Raises:
            DatasetError: A class has no training image, or images have several labels.
        """
        if self.several_labels:
            raise DatasetError("one label an image", "several", "Take positive_weights instead")
        weights = self._positives() ** -power
        return (weights / weights.mean()).float()

    def positive_weights(self, power: float = 1.0) -> torch.Tensor:
        """Weighs the images that have a label against those that lack it, for ``BCEWithLogitsLoss(pos_weight=...)``.

        Args:
            power: What the weights are raised to: 1 lets both sides of a label count alike, 0 weighs nothing.

        Returns:
            Tensor (num_classes,), float32: the number of training images without the label by that of those with it,
            raised to ``power``.

        Raises:
            DatasetError: A label has no training image, or all of them; or images have one label each.
        """
        if not self.several_labels:
            raise DatasetError("several labels an image", "one", "Take class_weights instead")
        positives = self._positives()
        always = [name for name, n in zip(self.class_names, positives, strict=True) if n == len(self.training)]
        if always:
            cure = "Leave the label out: there is nothing to learn"
            raise DatasetError("training images without each label", f"{len(always)} labels on all", cure, always)
        return (((len(self.training) - positives) / positives) ** power).float()

    def _positives(self) -> torch.Tensor:
        """Returns the number of training images of each class, float64, none of which is 0."""
        counts = self.counts()["training"]
        absent = [name for name, count in counts.items() if count == 0]
        if absent:
            cure = "Add images, or leave the class out"
            raise DatasetError("training images of each class", f"{len(absent)} classes without", cure, absent)
        return torch.tensor(list(counts.values()), dtype=torch.float64)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the list as JSON: MONAI's keys, the class names, the root, and image paths relative to that root.

        Raises:
            DatasetError: An image lies outside ``root``.
        """
        content: dict[str, object] = {"class_names": list(self.class_names), "root": Path(self.root).as_posix()}
        for split in SPLITS:
            items = [_absolute(item, self.root) for item in self.split(split)]
            content[split] = [{**x, "image": Path(x["image"]).relative_to(self.root).as_posix()} for x in items]
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> "Datalist":
        """Reads what ``save`` wrote.

        Args:
            path: The JSON file.
            root: Folder of the images, where they have moved since.

        Returns:
            The list, with absolute paths.

        Raises:
            DatasetError: The file cannot be read or is of another form, a path leads outside the folder, or images are
                missing.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            folder = os.path.abspath(root if root is not None else content["root"])
            names = tuple(str(name) for name in content["class_names"])
            training, validation, test = ([_absolute(item, folder) for item in content[split]] for split in SPLITS)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, DatasetError):
                raise
            cure = "Build the list again with build_datalist, and save it"
            raise DatasetError(f"a data list in {path}", f"{type(error).__name__}: {error}", cure) from error
        missing = [item["image"] for item in [*training, *validation, *test] if not os.path.exists(item["image"])]
        if missing:
            found = f"{len(missing)} missing"
            raise DatasetError(f"the images of {path} in {folder}", found, "Give their folder as root", missing)
        return cls(names, training, validation, test, folder)


def describe(datalist: Datalist) -> str:
    """Returns a short table of classes by splits, for the log.

    Args:
        datalist: The list to count.

    Returns:
        Lines of aligned columns: a head, one line a class, the total.

    Example:
        >>> print(describe(Datalist(("a", "b"), [{"image": "/s/1.png", "label": 1}], [], [], "/s")))
        class  training  validation  test
        a             0           0     0
        b             1           0     0
        total         1           0     0
    """
    counts = datalist.counts()
    rows: list[tuple[str, ...]] = [("class", *SPLITS)]
    rows += [(name, *(str(counts[split][name]) for split in SPLITS)) for name in datalist.class_names]
    rows.append(("total", *(str(len(datalist.split(split))) for split in SPLITS)))
    wide = max(len(row[0]) for row in rows)
    return "\n".join(
        "  ".join([row[0].ljust(wide), *(cell.rjust(len(s)) for cell, s in zip(row[1:], SPLITS, strict=True))])
        for row in rows
    )


def _absolute(item: Sample, root: str) -> Sample:
    """Returns the item with its path made absolute, which must lie inside ``root``."""
    path = os.path.normpath(os.path.join(root, item["image"]))
    if not path.startswith(os.path.join(root, "")):
        raise DatasetError(f"paths inside {root}", f"a path outside, {item['image']}", "Build the list again")
    label = item["label"]
    label = [int(mark) for mark in label] if isinstance(label, list) else int(label)
    absolute: Sample = {**item, "image": path, "label": label}
    return absolute


def indices_of(label: int | list[int]) -> list[int]:
    """Returns the classes of a label."""
    return [i for i, mark in enumerate(label) if mark] if isinstance(label, list) else [label]


def _is_label(label: int | list[int], count: int, several: bool) -> bool:
    if isinstance(label, list):
        return several and len(label) == count and set(label) <= {0, 1}
    return not several and label in range(count)
