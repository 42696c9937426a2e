"""How foreign a picture is to a trained network: energy of its logits, and distance of its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FeatureDistance", "energy", "foreign_threshold", "separation"]

Array = npt.NDArray[np.float64]


def energy(logits: npt.ArrayLike, temperature: float = 1.0) -> Array:
    """Returns the energy of each row of logits: higher where the network has seen nothing like it.

    Source: Liu et al. (arXiv 2010.03759), equation 4: ``-T log sum exp(logits / T)``.

    Args:
        logits: (n, C).
        temperature: T, positive.

    Returns:
        (n,), in the unit of the logits.

    Raises:
        ValueError: The logits are no finite table, or the temperature is not positive.

    Example:
        >>> energy([[0.0, 0.0], [10.0, 0.0]]).round(2).tolist()
        [-0.69, -10.0]
    """
    from scipy.special import logsumexp

    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}")
    return -temperature * logsumexp(_table(logits, "logits") / temperature, axis=1)


@dataclass(frozen=True, eq=False)
class FeatureDistance:
    """The distance of features to those that training has seen: Mahalanobis, to the nearest class.

    Source: Lee et al. (arXiv 1807.03888), section 2.1, on the pooled features; the covariance that the classes share is
    shrunk (Ledoit and Wolf), so that fewer images than features will do.

    Args:
        means: Of each class, (C, F).
        precision: Inverse of the shared covariance, (F, F).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> features, labels = rng.normal(size=(200, 3)), np.arange(200) % 2
        >>> distance = FeatureDistance.fit(features, labels)
        >>> bool(distance([[9.0, 9.0, 9.0]])[0] > distance(features).max())
        True
    """

    means: Array
    precision: Array

    @classmethod
    def fit(cls, features: npt.ArrayLike, labels: Sequence[int] | npt.NDArray[np.integer]) -> FeatureDistance:
        """Returns the distance to training images.

        Args:
            features: Of the training images, (n, F), as ``embed`` gives them.
            labels: Class of each, (n,).

        Raises:
            ValueError: The features are no finite table, or their number is not that of the labels.
        """
        from sklearn.covariance import LedoitWolf

        table, classes = _table(features, "features"), np.asarray(labels)
        if classes.shape != table.shape[:1]:
            raise ValueError(f"expected a label for each of {len(table)} rows of features, got {classes.shape}")
        names, index = np.unique(classes, return_inverse=True)
        means = np.stack([table[index == c].mean(axis=0) for c in range(len(names))])
        found = LedoitWolf(assume_centered=True).fit(table - means[index])
        return cls(means, found.precision_)

    def __call__(self, features: npt.ArrayLike) -> Array:
        """Returns the distance of each row to the nearest class mean, (n,), at least 0: higher is more foreign."""
        apart = _table(features, "features")[:, None] - self.means  # (n, C, F)
        squares = np.einsum("ncf,fg,ncg->nc", apart, self.precision, apart, optimize=True)
        return np.sqrt(np.clip(squares.min(axis=1), 0, None))


def foreign_threshold(validation: npt.ArrayLike, accepted: float = 0.95) -> float:
    """Returns the score above which a picture counts as foreign.

    Args:
        validation: Scores of validation images; those of the test set must not be used.
        accepted: Share of them that is not to be refused, in (0, 1].

    Returns:
        The smallest of the scores that at least this share does not exceed.

    Raises:
        ValueError: There is no score, one is not finite, or the share is out of range.

    Example:
        >>> foreign_threshold(range(1, 101))
        95.0
    """
    if not 0 < accepted <= 1:
        raise ValueError(f"expected a share above 0 and up to 1, got {accepted}")
    return float(np.quantile(_scores(validation, "validation"), accepted, method="inverted_cdf"))


def separation(familiar: npt.ArrayLike, foreign: npt.ArrayLike, threshold: float) -> dict[str, float]:
    """Returns how well scores tell foreign pictures from familiar ones.

    Args:
        familiar: Scores of test images of the trained kind.
        foreign: Scores of images of another kind.
        threshold: From ``foreign_threshold``.

    Returns:
        ``auroc``, 1 where every foreign image scores higher; ``familiar_refused`` and ``foreign_refused``, the shares
        above the threshold.

    Raises:
        ValueError: There is no score on one side, or one is not finite.

    Example:
        >>> separation([1, 2, 3, 4], [3.5, 5, 6, 7], threshold=4)
        {'auroc': 0.9375, 'familiar_refused': 0.0, 'foreign_refused': 0.75}
    """
    from sklearn.metrics import roc_auc_score

    inside, outside = _scores(familiar, "familiar"), _scores(foreign, "foreign")
    truth = np.repeat([0, 1], [len(inside), len(outside)])
    return {
        "auroc": float(roc_auc_score(truth, np.concatenate([inside, outside]))),
        "familiar_refused": float((inside > threshold).mean()),
        "foreign_refused": float((outside > threshold).mean()),
    }


def _table(values: npt.ArrayLike, name: str) -> Array:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.shape[1] or not np.isfinite(table).all():
        raise ValueError(f"{name}: expected a table of finite numbers, one row an image, got shape {table.shape}")
    return table


def _scores(values: npt.ArrayLike, name: str) -> Array:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(f"{name}: expected finite scores, one an image, got shape {scores.shape}")
    return scores
