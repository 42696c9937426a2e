"""Simulated hospitals: one data set parted so that each sees other classes most."""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data import Datalist, DatasetError
from ..data.entry import SPLITS

__all__ = ["part_hospitals"]


def part_hospitals(
    data: Datalist, out: str | os.PathLike[str], names: Sequence[str] = ("north", "south"), share: float = 0.8
) -> dict[str, Path]:
    """Parts a data set among hospitals with different balances of classes.

    Class k goes by ``share`` to hospital k modulo their number, and by equal parts to the others, in each split. A
    patient's images stay together, and go by the class that most of them have.

    Args:
        data: the data set, one label an image.
        out: the folder that gets a folder for each hospital: split folders with class folders with copies of the
            images.
        names: of the hospitals, two or more.
        share: between 1 / the number of hospitals, the same balance everywhere, and 1, excluded.

    Returns:
        The folder of each hospital, by name.

    Raises:
        DatasetError: images have several labels, there are fewer than two hospitals, ``share`` is out of range, a
            hospital would lack a class in a split, or ``out`` is there already.

    Example:
        >>> part_hospitals(Datalist(("a", "b"), [], [], [], "/set"), "out", ["north"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.data.dataset_error.DatasetError: ...two hospitals or more...
    """
    count = len(names)
    if count < 2 or len(set(names)) < count:
        raise DatasetError("two hospitals or more, each with a name of its own", f"{list(names)}", "Name them")
    if not 1 / count <= share < 1:
        raise DatasetError(f"a share from {1 / count:.3g} to below 1", f"{share}", "Choose one between")
    if data.several_labels:
        raise DatasetError("one label an image", "several", "Part the data yourself, and name each hospital's folder")
    root = Path(os.path.abspath(out))
    if root.exists():
        raise DatasetError(f"no folder {root} yet", "one", "Name another, or remove it")
    dealt = {split: _deal(data, split, count, share) for split in SPLITS}
    absent = [
        f"{name}: no {label} in {split}"
        for split in SPLITS
        for place, name in enumerate(names)
        for k, label in enumerate(data.class_names)
        if not any(item["label"] == k for item in dealt[split][place])
    ]
    if absent:
        cure = "Take a smaller share, fewer hospitals, or more images"
        raise DatasetError("every class in every split of every hospital", f"{len(absent)} gaps", cure, absent)
    for split, parts in dealt.items():
        for name, items in zip(names, parts, strict=True):
            for number, item in enumerate(items):
                folder = root / name / split / data.class_names[item["label"]]
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(item["image"], folder / f"{number:05d}_{Path(item['image']).name}")
    return {name: root / name for name in names}


def _deal(data: Datalist, split: str, count: int, share: float) -> list[list[Any]]:
    """Returns each hospital's items of a split."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in data.split(split):
        groups[item.get("patient") or item["image"]].append(item)
    by_class: dict[int, list[list[Any]]] = defaultdict(list)
    for group in groups.values():
        by_class[Counter(item["label"] for item in group).most_common(1)[0][0]].append(group)
    parts: list[list[Any]] = [[] for _ in range(count)]
    for k, members in sorted(by_class.items()):
        home = k % count
        order = [home, *(place for place in range(count) if place != home)]
        wanted = [share if place == home else (1 - share) / (count - 1) for place in order]
        given = [0] * count
        for number, group in enumerate(members, start=1):
            # To whom it brings closest to the share; the home hospital is first among equals.
            behind = [part * number - had for part, had in zip(wanted, given, strict=True)]
            rank = behind.index(max(behind))
            given[rank] += 1
            parts[order[rank]] += group
    return parts
