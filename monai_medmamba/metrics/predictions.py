"""The table of predictions, `predictions.csv`: one line an image, written and read without loss."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..files import atomic_path
from .validation import check_labels, check_probabilities

LEADING_COLUMNS = ("image", "label", "prediction", "confidence")
PREFIX = "prob_"
# A spreadsheet runs a cell that begins with one of these; such text gets an apostrophe in front, as an apostrophe does.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier said about a list of images.

    Args:
        images: name or path of each image, n of them.
        labels: true class index of each image, shape (n,), int64; None where the truth is unknown.
        probabilities: shape (n, C), float32, each row a distribution over the classes.
        class_names: the C class names, in the order of the columns.

    Example:
        >>> Predictions(["a.png"], None, np.float32([[0.25, 0.75]]), ["normal", "polyp"]).predicted.tolist()
        [1]
    """

    images: list[str]
    labels: npt.NDArray[np.int64] | None
    probabilities: npt.NDArray[np.float32]
    class_names: list[str]

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """Index of the most probable class of each image, the first of equals, shape (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def truth(self) -> npt.NDArray[np.int64]:
        """The labels, shape (n,); a ValueError where they are unknown."""
        if self.labels is None:
            raise ValueError(
                "expected predictions with known classes, got none with a label; evaluate a labelled split"
            )
        return self.labels

    @property
    def members(self) -> npt.NDArray[np.bool_]:
        """Whether each image is of each class, shape (n, C); a ValueError where the labels are unknown."""
        return self.truth[:, None] == np.arange(len(self.class_names))


def write_predictions(
    path: str | Path,
    images: Sequence[str | Path],
    labels: npt.ArrayLike | None,
    probabilities: npt.ArrayLike,
    class_names: Sequence[str],
) -> None:
    """Write `predictions.csv`: image, label, prediction, confidence, then one probability column a class.

    Label and prediction are class names (the label is empty when the truth is unknown), the probability columns are
    called `prob_<class name>`, and probabilities are float32 in the fewest digits that read back to the same number.
    Text is quoted, and text a spreadsheet would take for a formula is preceded by an apostrophe. The file is complete
    or absent: it is written beside its place and moved there. Missing folders are made.

    Args:
        path: the file to write; an existing one is replaced.
        images: name or path of each image, n of them.
        labels: shape (n,), integer class indices in [0, C); None when the truth is unknown.
        probabilities: shape (n, C), floating point, each row a distribution.
        class_names: the C class names, in the order of the columns.

    Raises:
        ValueError: when the arguments do not fit together or a row is not a distribution.
        OSError: when the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "predictions.csv"
        >>> write_predictions(path, ["a.png"], [0], [[0.75, 0.25]], ["normal", "polyp"])
        >>> path.read_text().splitlines()[1]
        '"a.png","normal","normal",0.75,0.75,0.25'
    """
    table = check_probabilities(probabilities, class_names).astype(np.float32)
    if len(images) != len(table):
        raise ValueError(f"expected one image name for each of {len(table)} rows of probabilities, got {len(images)}")
    truth = [""] * len(table)
    if labels is not None:
        truth = [class_names[label] for label in check_labels(labels, len(table), class_names)]
    # surrogateescape: file names that are not UTF-8 come back as they were.
    with (
        atomic_path(path) as draft,
        draft.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow([*LEADING_COLUMNS, *(PREFIX + name for name in class_names)])
        for image, label, row in zip(images, truth, table, strict=True):
            best = int(row.argmax())
            text = [guard(str(image)), guard(label), guard(class_names[best])]
            writer.writerow([*text, row[best], *row])


def read_predictions(path: str | Path) -> Predictions:
    """Return what `write_predictions` wrote: the same images, labels, probabilities and class names.

    Args:
        path: a `predictions.csv`.

    Returns:
        The predictions; `labels` is None when the label column is empty.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when the file is no such table; the message names the file, the line and what was expected.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "predictions.csv"
        >>> write_predictions(path, ["a.png"], [0], [[0.75, 0.25]], ["normal", "polyp"])
        >>> read_predictions(path).labels.tolist()
        [0]
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            class_names = _class_names(next(reader, []))
            rows = [_parse_row(cells, class_names, reader.line_num) for cells in reader]
        labels = [row[1] for row in rows]
        unknown = labels.count(None)
        if 0 < unknown < len(labels):
            raise ValueError(f"the label is empty in {unknown} of {len(labels)} rows; fill every one or none")
        truth = None if unknown else check_labels(np.array(labels, dtype=np.int64), len(rows), class_names)
        table = np.array([row[2] for row in rows], dtype=np.float32).reshape(len(rows), len(class_names))
        check_probabilities(table, class_names)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a table of predictions: {error}") from error
    return Predictions([row[0] for row in rows], truth, table, class_names)


def _class_names(header: list[str]) -> list[str]:
    leading, classes = tuple(header[: len(LEADING_COLUMNS)]), header[len(LEADING_COLUMNS) :]
    if header[:2] == ["image", "found"]:
        raise ValueError("it has several labels an image, and here each image must have one class")
    if leading != LEADING_COLUMNS or not classes or any(not name.startswith(PREFIX) for name in classes):
        raise ValueError(
            f"expected the columns {', '.join(LEADING_COLUMNS)} and then {PREFIX}<class name> for each class, "
            f"got {header}"
        )
    return [name.removeprefix(PREFIX) for name in classes]


def _parse_row(cells: list[str], class_names: list[str], line: int) -> tuple[str, int | None, list[np.float32]]:
    """Return image, label index and probabilities of one line, or say which cell of the line is wrong."""
    expected = len(LEADING_COLUMNS) + len(class_names)
    if len(cells) != expected:
        raise ValueError(f"line {line}: expected {expected} cells, got {len(cells)}")
    image, label, prediction = (cell[1:] if cell.startswith("'") else cell for cell in cells[:3])
    for column, name in (("label", label), ("prediction", prediction)):
        if name not in class_names and (name or column == "prediction"):
            raise ValueError(f"line {line}: {column} {name!r} is none of the classes {class_names}")
    try:
        probabilities = [np.float32(cell) for cell in cells[len(LEADING_COLUMNS) :]]
    except ValueError as error:
        raise ValueError(f"line {line}: a probability is not a number ({error})") from error
    most_probable = class_names[int(np.argmax(probabilities))]
    if prediction != most_probable:
        raise ValueError(f"line {line}: prediction is {prediction!r} but the most probable class is {most_probable!r}")
    return image, class_names.index(label) if label else None, probabilities


def guard(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
