"""How well a straight line through frozen features tells classes apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ProbeResult", "probe_features"]


class ProbeResult(NamedTuple):
    """What a linear probe reached on the samples it was not fitted to.

    Args:
        accuracy: The share of right answers, in [0, 1].
        balanced_accuracy: The mean of the classes' shares, in [0, 1].
        largest_class: The accuracy of always naming the most frequent class.
        folds: Of the cross-validation.
        samples: All of them.

    Example:
        >>> ProbeResult(0.9, 0.85, 0.6, folds=5, samples=100).accuracy
        0.9
    """

    accuracy: float
    balanced_accuracy: float
    largest_class: float
    folds: int
    samples: int


def probe_features(features: NDArray[np.floating], labels: Sequence[str], folds: int = 5, seed: int = 0) -> ProbeResult:
    """Returns the cross-validated accuracy of a logistic regression on standardised features.

    Every sample is judged by the regression of a fold that did not hold it; folds keep the shares of the classes.
    Samples of one patient in several folds make the figures better than they are.

    Args:
        features: (n, F), finite.
        labels: The class of each sample.
        folds: At least 2, and at most as many as the smallest class has samples.
        seed: Of the folds.

    Returns:
        Accuracy and balanced accuracy over all samples, each in [0, 1], beside that of naming the largest class.

    Raises:
        ValueError: There are fewer than two classes, a class has fewer samples than there are folds, or the numbers
            of features and labels differ.

    Example:
        >>> points = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]])
        >>> probe_features(points, ["a", "a", "a", "b", "b", "b"], folds=3).accuracy
        1.0
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(features) != len(labels):
        raise ValueError(f"expected one label for each of {len(features)} rows of features, got {len(labels)}")
    counts = Counter(labels)
    if len(counts) < 2:
        raise ValueError(f"expected at least two classes, got {', '.join(counts) or 'none'}")
    rarest, least = min(counts.items(), key=lambda item: item[1])
    if not 2 <= folds <= least:
        raise ValueError(f"expected from 2 folds to {least}, the samples of class '{rarest}', got {folds}")
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    found = cross_val_predict(model, features, list(labels), cv=splits)
    return ProbeResult(
        accuracy=float(accuracy_score(labels, found)),
        balanced_accuracy=float(balanced_accuracy_score(labels, found)),
        largest_class=max(counts.values()) / len(labels),
        folds=folds,
        samples=len(labels),
    )
