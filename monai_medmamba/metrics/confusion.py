"""Figures counted from confusion matrices, many matrices at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def confusion_matrices(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int, weights: Array
) -> Array:
    """Return one confusion matrix for each row of weights, rows the truth, columns the prediction.

    Args:
        truth: class of each image, (n,).
        predicted: class given to each image, (n,).
        classes: number of classes C.
        weights: how often each image counts, (R, n).

    Returns:
        Shape (R, C, C).
    """
    pair = truth * classes + predicted
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
    matrices = np.zeros((len(weights), classes * classes))
    matrices[:, pair[order][starts]] = np.add.reduceat(weights[:, order], starts, axis=1)
    return matrices.reshape(-1, classes, classes)


def one_against_rest(hits: Array, predicted: Array, support: Array, total: Array) -> dict[str, Array]:
    """Return precision, sensitivity, specificity and F1 of each class, NaN where a class has no image.

    Args:
        hits: images of the class given to it, (R, C).
        predicted: images given to the class, (R, C).
        support: images of the class, (R, C).
        total: images, (R, 1).

    Returns:
        Figures of shape (R, C). A class with images that is never predicted has precision 0.
    """
    false_alarms, others = predicted - hits, total - support
    present = support > 0
    return {
        "precision": np.where(present, hits / np.maximum(predicted, 1), np.nan),
        "sensitivity": np.where(present, hits / np.maximum(support, 1), np.nan),
        "specificity": np.where(present & (others > 0), (others - false_alarms) / np.maximum(others, 1), np.nan),
        "f1": np.where(present, 2 * hits / np.maximum(predicted + support, 1), np.nan),
    }


def cohen_kappa(matrices: Array, quadratic: bool = False) -> Array:
    """Return Cohen's kappa of each matrix, NaN where truth and prediction are one class alone.

    Args:
        matrices: shape (R, C, C).
        quadratic: weighs a confusion by the squared distance of its classes in their order.

    Returns:
        Shape (R,), at most 1.
    """
    place = np.arange(matrices.shape[-1], dtype=np.float64)
    distance = (place[:, None] - place) ** 2 if quadratic else 1 - np.eye(len(place))
    total = matrices.sum(axis=(1, 2))
    by_chance = np.einsum("ri,rj,ij->r", matrices.sum(axis=2), matrices.sum(axis=1), distance)
    observed = np.einsum("rij,ij->r", matrices, distance) * total
    return np.where(by_chance > 0, 1 - observed / np.where(by_chance > 0, by_chance, 1), np.nan)


def matthews(matrices: Array) -> Array:
    """Return Matthews' correlation for any number of classes, NaN where truth or prediction is one class alone.

    Source: Gorodkin (2004), the correlation of the two class assignments.

    Args:
        matrices: shape (R, C, C).

    Returns:
        Shape (R,), in [-1, 1].
    """
    total, support, predicted = matrices.sum(axis=(1, 2)), matrices.sum(axis=2), matrices.sum(axis=1)
    right = np.trace(matrices, axis1=1, axis2=2)
    spread = (total**2 - (support**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    together = right * total - (support * predicted).sum(axis=1)
    return np.where(spread > 0, together / np.sqrt(np.where(spread > 0, spread, 1)), np.nan)
