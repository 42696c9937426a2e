"""Which image a reader should see next: the one that teaches the model most."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from monailabel.interfaces.tasks.strategy import Strategy
from numpy.typing import NDArray

from .image_store import ImageStore
from .request_error import RequestError
from .served_model import ServedModel

__all__ = ["MEASURES", "NextImage", "core_set", "reading_order"]

logger = logging.getLogger(__name__)

Rows = NDArray[np.float32]

CANDIDATES = 256  # images that one request looks at for the first time; a larger set is seen bit by bit


def _as_distributions(rows: Rows) -> Rows:
    """Returns (n, C, 2) for labels that are questions of their own."""
    return np.stack([rows, 1 - rows], axis=2)


def least_confidence(rows: Rows, several: bool) -> Rows:
    """Returns 1 minus the highest probability; of several labels, the mean over them."""
    return (1 - _as_distributions(rows).max(2)).mean(1) if several else 1 - rows.max(1)


def margin(rows: Rows, several: bool) -> Rows:
    """Returns 1 minus the distance between the two highest probabilities; of several labels, closeness to a half."""
    if several:
        return (1 - np.abs(2 * rows - 1)).max(1)
    ordered = np.sort(rows, axis=1)
    return 1 - (ordered[:, -1] - ordered[:, -2]) if rows.shape[1] > 1 else np.zeros(len(rows), np.float32)


def entropy(rows: Rows, several: bool) -> Rows:
    """Returns the entropy in nats; of several labels, the mean over them."""
    tables = _as_distributions(rows) if several else rows[:, None]
    return -(tables * np.log(np.maximum(tables, 1e-12))).sum(2).mean(1)


MEASURES: dict[str, tuple[str, Callable[[Rows, bool], Rows] | None]] = {
    "random": ("Any image without a label", None),
    "least_confidence": ("The image whose most probable class is least probable", least_confidence),
    "margin": ("The image whose two most probable classes are closest", margin),
    "entropy": ("The image whose probabilities say least", entropy),
    "coreset": ("The image that is least like those that were chosen before", None),
}
"""Strategies: what each chooses, and how uncertain a table of probabilities is by it."""


def core_set(rows: Rows, chosen: Rows, count: int) -> list[int]:
    """Returns rows in the order in which each is the farthest from all before it.

    Source: Sener and Savarese (arXiv 1708.00489), algorithm 1, the greedy k-center.

    Args:
        rows: Features to choose among, (n, F).
        chosen: Features that are covered already, (m, F).
        count: How many to choose.

    Returns:
        Indices of ``rows``; without anything chosen, the row nearest the mean comes first.

    Example:
        >>> core_set(np.float32([[0], [1], [5], [9]]), np.float32([[0]]), 3)
        [3, 2, 1]
    """
    if not len(rows):
        return []
    order: list[int] = []
    if len(chosen):
        distances = np.min(
            np.stack([((rows - centre) ** 2).sum(1) for centre in chosen]),
            axis=0,
        )
    else:
        order = [int(((rows - rows.mean(0)) ** 2).sum(1).argmin())]
        distances = ((rows - rows[order[0]]) ** 2).sum(1)
    distances = distances.astype(np.float64)
    distances[order] = -1
    while len(order) < min(count, len(rows)):
        order.append(int(distances.argmax()))
        distances = np.minimum(distances, ((rows - rows[order[-1]]) ** 2).sum(1))
        distances[order] = -1
    return order


def reading_order(
    model: ServedModel, store: ImageStore, strategy: str, seed: int | None = None
) -> list[tuple[str, float | None]]:
    """Returns the images without a label for a model, those that teach it most first, each with its measure.

    Args:
        model: To be taught.
        store: Of images and labels.
        strategy: A name of ``MEASURES``.
        seed: Of ``random``.

    Returns:
        Ids with how uncertain the model is, or None where the strategy does not measure it. Images that could not be
        read, and those of a large set that have not been looked at yet, come last.

    Raises:
        RequestError: There is no such strategy, or it needs weights and there are none.
    """
    if strategy not in MEASURES:
        raise RequestError(404, f"expected one of the strategies {', '.join(MEASURES)}, got {strategy!r}")
    labels, malformed = store.labels_of(model)
    images = [image for image in store.list_images() if image not in labels and image not in malformed]
    if strategy == "random":
        random.Random(seed).shuffle(images)
        return [(image, None) for image in images]
    model.load()  # says what to do where there are no weights
    kind = "features" if strategy == "coreset" else "probabilities"
    paths = {image: store.get_image_uri(image) for image in images if _is_at_hand(store, image)}
    table = model.table(list(_candidates(model, paths, kind).values()), kind)
    found = [image for image in images if paths.get(image) in table]
    rest: list[tuple[str, float | None]] = [(image, None) for image in images if paths.get(image) not in table]
    if not found:
        return rest
    rows = np.stack([table[paths[image]] for image in found])
    if kind == "features":
        near = {image: store.get_image_uri(image) for image in labels}
        covered = model.table(list(_candidates(model, near, kind).values()), kind)
        chosen = np.stack(list(covered.values())) if covered else rows[:0]
        return [(found[i], None) for i in core_set(rows, chosen, len(found))] + rest
    measure = MEASURES[strategy][1]
    assert measure is not None
    values = measure(rows, model.several_labels)
    return [(found[i], float(values[i])) for i in np.argsort(-values, kind="stable")] + rest


def _is_at_hand(store: ImageStore, image: str) -> bool:
    try:
        store.get_image_uri(image)
    except (OSError, ValueError, RuntimeError):
        logger.warning("passing over an image that cannot be had: %s", image)
        return False
    return True


def _candidates(model: ServedModel, paths: Mapping[str, str], kind: str) -> dict[str, str]:
    """Returns the images that are in memory, and as many others as one request looks at."""
    known = {image: path for image, path in paths.items() if model.is_kept(path, kind)}
    new = [image for image in paths if image not in known]
    random.Random(0).shuffle(new)
    return {**known, **{image: paths[image] for image in new[:CANDIDATES]}}


class NextImage(Strategy):
    """One strategy, as MONAI Label asks for it.

    Args:
        name: Of ``MEASURES``.
        models: By name; a request's ``model`` chooses one, otherwise the first counts.

    Example:
        >>> NextImage("margin", {}).info()["description"]
        'The image whose two most probable classes are closest'
    """

    def __init__(self, name: str, models: Mapping[str, ServedModel]) -> None:
        super().__init__(MEASURES[name][0])
        self.name, self.models = name, models

    def __call__(self, request: dict[str, Any], datastore: ImageStore) -> dict[str, Any]:
        """Returns ``id`` and ``uncertainty`` of the next image; empty where every image has a label.

        Raises:
            RequestError: There is no such model, or it has no weights.
        """
        wanted = str(request.get("model") or next(iter(self.models), ""))
        if wanted not in self.models:
            raise RequestError(404, f"expected one of the models {', '.join(self.models)}, got {wanted!r}")
        seed = request.get("seed")
        if seed is not None and not isinstance(seed, int):
            raise RequestError(422, f"expected a seed as a whole number, got {seed!r}")
        order = reading_order(self.models[wanted], datastore, self.name, seed)
        return {"id": order[0][0], "uncertainty": order[0][1]} if order else {}
