"""What every table of class probabilities has to satisfy before anything is counted from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SUM_TOLERANCE = 1e-3


def check_class_names(class_names: Sequence[str]) -> None:
    """Refuse a list of class names that cannot name the columns of a table.

    Args:
        class_names: at least two distinct, non-empty names, in the order of the class indices.

    Raises:
        ValueError: when there are fewer than two names, or one is empty, repeated or not a string.

    Example:
        >>> check_class_names(["normal", "polyp"])
    """
    if isinstance(class_names, str) or len(class_names) < 2:
        raise ValueError(f"expected a list of at least two class names, got {class_names!r}")
    if any(not isinstance(name, str) or not name for name in class_names):
        raise ValueError(f"class names must be non-empty strings, got {list(class_names)!r}")
    repeated = sorted({name for name in class_names if list(class_names).count(name) > 1})
    if repeated:
        raise ValueError(f"class names must be distinct, these are repeated: {repeated}; rename them")


def check_probabilities(probabilities: npt.ArrayLike, class_names: Sequence[str]) -> npt.NDArray[np.floating]:
    """Return the probabilities as a float array once they are known to be a distribution in every row.

    Args:
        probabilities: one row an image, one column a class; floating point, each in [0, 1], each row summing to 1
            within 1e-3 (what softmax in float32 gives, with room for rounded tables).
        class_names: names of the columns.

    Returns:
        The array, shape (n, C) with n >= 1, in the dtype it came in.

    Raises:
        ValueError: when the class names are unusable, the shape or dtype is wrong, there is no row, or a row holds a
            non-finite number, a number outside [0, 1] or does not sum to 1; the message names the first such row.

    Example:
        >>> check_probabilities([[0.25, 0.75]], ["normal", "polyp"]).shape
        (1, 2)
    """
    check_class_names(class_names)
    array = np.asarray(probabilities)
    if array.ndim != 2 or array.shape[1] != len(class_names):
        raise ValueError(f"expected probabilities of shape (n, {len(class_names)}), got {array.shape}")
    if array.dtype.kind != "f":
        raise ValueError(f"expected floating-point probabilities, got dtype {array.dtype}; apply softmax to the logits")
    if not len(array):
        raise ValueError("expected at least one row of probabilities, got none: the list of images is empty")
    finite = np.isfinite(array).all(axis=1)
    _refuse_rows(array, ~finite, "hold only finite numbers", "look for NaN in the network")
    inside = ((array >= 0) & (array <= 1)).all(axis=1)
    _refuse_rows(array, ~inside, "lie in [0, 1]", "apply softmax to the logits")
    off_by = np.abs(array.sum(axis=1, dtype=np.float64) - 1)
    _refuse_rows(array, off_by > SUM_TOLERANCE, "sum to 1", "apply softmax over the classes, not sigmoid")
    return array


def check_unit_interval(probabilities: npt.ArrayLike, classes: int) -> npt.NDArray[np.floating]:
    """Return the probabilities as a float array once each is known to lie in [0, 1], each class for itself.

    Args:
        probabilities: one row an image, one column a class; floating point.
        classes: number of columns.

    Returns:
        The array, shape (n, classes) with n >= 1, in the dtype it came in.

    Raises:
        ValueError: when the shape or dtype is wrong, there is no row, or a row holds a number that is not finite or
            outside [0, 1]; the message names the first such row.

    Example:
        >>> check_unit_interval([[0.9, 0.8]], 2).shape
        (1, 2)
    """
    array = np.asarray(probabilities)
    if array.ndim != 2 or array.shape[1] != classes or not len(array):
        raise ValueError(f"expected probabilities of shape (n, {classes}) with n of at least 1, got {array.shape}")
    if array.dtype.kind != "f":
        raise ValueError(f"expected floating-point probabilities, got dtype {array.dtype}; apply sigmoid to the logits")
    _refuse_rows(array, ~np.isfinite(array).all(axis=1), "hold only finite numbers", "look for NaN in the network")
    inside = ((array >= 0) & (array <= 1)).all(axis=1)
    _refuse_rows(array, ~inside, "lie in [0, 1]", "apply sigmoid to the logits")
    return array


def check_label_table(labels: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return multi-label truth as a table of yes and no.

    Args:
        labels: one row an image, one column a class; bool, or the numbers 0 and 1.
        shape: what the table must have.

    Returns:
        The table, bool.

    Raises:
        ValueError: when the shape differs or a value is neither 0 nor 1; the message names the first such row.

    Example:
        >>> check_label_table([[1, 0]], (1, 2)).tolist()
        [[True, False]]
    """
    array = np.asarray(labels)
    if array.shape != shape:
        raise ValueError(f"expected labels of shape {shape}, one for each probability, got {array.shape}")
    other = np.flatnonzero(~np.isin(array, (0, 1)).all(axis=1))
    if other.size:
        row = int(other[0])
        raise ValueError(f"expected 0 or 1 for each class, got {array[row].tolist()} in row {row}")
    return array.astype(bool)


def check_labels(labels: npt.ArrayLike, count: int, class_names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the labels as an int64 array once they are known to be class indices, one an image.

    Args:
        labels: class index of each image, integers in [0, C).
        count: number of images.
        class_names: names of the C classes.

    Returns:
        The labels, shape (count,), int64.

    Raises:
        ValueError: when the shape or dtype is wrong or a label names no class; the message names the first such row.

    Example:
        >>> check_labels([1, 0], 2, ["normal", "polyp"]).tolist()
        [1, 0]
    """
    array = np.asarray(labels)
    if array.shape != (count,):
        raise ValueError(f"expected labels of shape ({count},), one for each row of probabilities, got {array.shape}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"expected integer class indices as labels, got dtype {array.dtype}")
    outside = np.flatnonzero((array < 0) | (array >= len(class_names)))
    if outside.size:
        row = int(outside[0])
        raise ValueError(
            f"expected labels in [0, {len(class_names) - 1}], got {int(array[row])} in row {row}; "
            f"{len(class_names)} classes are named: {list(class_names)}"
        )
    return array.astype(np.int64)


def _refuse_rows(array: npt.NDArray[np.floating], bad: npt.ArrayLike, rule: str, cure: str) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        row = int(rows[0])
        raise ValueError(
            f"probabilities must {rule}, but {rows.size} of {len(array)} rows do not, "
            f"first row {row}: {array[row].tolist()}; {cure}"
        )
