"""The table of predictions where an image may have several labels: one probability and one truth a label."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..files import atomic_path
from .predictions import PREFIX, guard
from .validation import check_class_names, check_label_table, check_unit_interval

LEADING = ("image", "found")
TRUTH_PREFIX = "true_"
THRESHOLD = 0.5
"""From which probability on a label counts as found."""
JOINED = "; "


@dataclass(frozen=True, eq=False)
class FindingPredictions:
    """What a classifier of several labels said about a list of images.

    Args:
        images: name or path of each image, n of them.
        labels: whether each image has each label, shape (n, C), bool; None where the truth is unknown.
        probabilities: shape (n, C), float32, each label for itself.
        class_names: the C labels' names, in the order of the columns.

    Example:
        >>> FindingPredictions(["a.png"], None, np.float32([[0.9, 0.2, 0.7]]), ["mass", "edema", "nodule"]).found
        [['mass', 'nodule']]
    """

    images: list[str]
    labels: npt.NDArray[np.bool_] | None
    probabilities: npt.NDArray[np.float32]
    class_names: list[str]

    @property
    def found(self) -> list[list[str]]:
        """Names of the labels of each image whose probability is 0.5 or more."""
        return [
            [name for name, there in zip(self.class_names, row, strict=True) if there]
            for row in self.probabilities >= THRESHOLD
        ]

    @property
    def members(self) -> npt.NDArray[np.bool_]:
        """The labels, shape (n, C); a ValueError where they are unknown."""
        if self.labels is None:
            raise ValueError("expected predictions with known labels, got none; evaluate a labelled split")
        return self.labels


def is_findings_table(path: str | Path) -> bool:
    """Return whether a table of predictions is one of several labels an image.

    Args:
        path: a `predictions.csv`.

    Returns:
        Whether its header begins as `write_findings` begins it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "predictions.csv"
        >>> write_findings(path, ["a.png"], None, [[0.75, 0.25]], ["mass", "edema"])
        >>> is_findings_table(path)
        True
    """
    with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        return tuple(next(csv.reader(file), ())[: len(LEADING)]) == LEADING


def write_findings(
    path: str | Path,
    images: Sequence[str | Path],
    labels: npt.ArrayLike | None,
    probabilities: npt.ArrayLike,
    class_names: Sequence[str],
) -> None:
    """Write `predictions.csv` of several labels: image, found, a probability column a label, a truth column a label.

    `found` names the labels of 0.5 or more; the other columns are `prob_<label>` and, where the truth is known,
    `true_<label>` with 0 or 1. Probabilities have the fewest digits that read back to the same float32. The file is
    complete or absent. Missing folders are made.

    Args:
        path: the file to write; an existing one is replaced.
        images: name or path of each image, n of them; none at all leaves the header alone.
        labels: shape (n, C), 0 or 1; None when the truth is unknown.
        probabilities: shape (n, C), floating point in [0, 1].
        class_names: the C labels' names, in the order of the columns.

    Raises:
        ValueError: when the arguments do not fit together.
        OSError: when the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "predictions.csv"
        >>> write_findings(path, ["a.png"], [[1, 1]], [[0.75, 0.25]], ["mass", "edema"])
        >>> path.read_text().splitlines()[1]
        '"a.png","mass",0.75,0.25,1,1'
    """
    check_class_names(class_names)
    table = np.empty((0, len(class_names)), np.float32)
    if len(images):
        table = check_unit_interval(probabilities, len(class_names)).astype(np.float32)
    if len(images) != len(table):
        raise ValueError(f"expected one image name for each of {len(table)} rows of probabilities, got {len(images)}")
    truth = None if labels is None else check_label_table(labels, table.shape)
    found = FindingPredictions([str(image) for image in images], truth, table, list(class_names))
    known = () if truth is None else tuple(TRUTH_PREFIX + name for name in class_names)
    # surrogateescape: file names that are not UTF-8 come back as they were.
    with (
        atomic_path(path) as draft,
        draft.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow([*LEADING, *(PREFIX + name for name in class_names), *known])
        for place, (image, names) in enumerate(zip(found.images, found.found, strict=True)):
            marks = () if truth is None else truth[place].astype(int)
            writer.writerow([guard(image), guard(JOINED.join(names)), *table[place], *marks])


def read_findings(path: str | Path) -> FindingPredictions:
    """Return what `write_findings` wrote: the same images, labels, probabilities and names.

    Args:
        path: a `predictions.csv`.

    Returns:
        The predictions; `labels` is None when there are no truth columns.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when the file is no such table; the message names the file, the line and what was expected.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "predictions.csv"
        >>> write_findings(path, ["a.png"], [[1, 1]], [[0.75, 0.25]], ["mass", "edema"])
        >>> read_findings(path).members.tolist()
        [[True, True]]
    """
    path = Path(path)
    images, probabilities, marks = [], [], []
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            names, known = _names(next(reader, []))
            width = len(LEADING) + len(names) * (1 + known)
            for cells in reader:
                if len(cells) != width:
                    raise ValueError(f"line {reader.line_num}: expected {width} cells, got {len(cells)}")
                images.append(cells[0].removeprefix("'"))
                numbers = [_number(cell, reader.line_num) for cell in cells[len(LEADING) :]]
                probabilities.append(numbers[: len(names)])
                marks.append(numbers[len(names) :])
        table = check_unit_interval(np.array(probabilities, dtype=np.float32), len(names))
        truth = check_label_table(np.array(marks), table.shape) if known else None
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a table of predictions of several labels: {error}") from error
    return FindingPredictions(images, truth, table.astype(np.float32), names)


def _names(header: list[str]) -> tuple[list[str], bool]:
    """Return the labels' names, and whether the truth stands beside them."""
    columns = header[len(LEADING) :]
    names = [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]
    without = [*LEADING, *(PREFIX + name for name in names)]
    complete = [*without, *(TRUTH_PREFIX + name for name in names)]
    if not names or header not in (without, complete):
        raise ValueError(
            f"expected the columns {', '.join(LEADING)}, then {PREFIX}<label> for each label and, where the truth is "
            f"known, {TRUTH_PREFIX}<label>, got {header}"
        )
    check_class_names(names)
    return names, header == complete


def _number(cell: str, line: int) -> np.float32:
    try:
        return np.float32(cell)
    except ValueError as error:
        raise ValueError(f"line {line}: {cell!r} is not a number") from error
