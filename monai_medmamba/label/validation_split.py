"""Which labelled images a training keeps out, to choose its weights by and to be judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from .request_error import RequestError

__all__ = ["keep_out"]

_LEAST = 3  # images of a class, before one of them is kept out


def keep_out(
    labels: Mapping[str, Sequence[str]], kept_before: Collection[str] = (), *, fraction: float = 0.2
) -> list[str]:
    """Returns the images to validate on: of each class the same fraction, and never one that was learned from.

    An image that was kept out before stays out, so that figures before and after a training are of images that
    neither has seen. Which ones come in addition depends on their names alone.

    Args:
        labels: Classes by image; of several, the first counts.
        kept_before: Images that earlier trainings kept out.
        fraction: Of each class.

    Returns:
        Sorted image names.

    Raises:
        RequestError: No class has three images.

    Example:
        >>> keep_out({"1": ["a"], "2": ["a"], "3": ["a"], "4": ["b"]})
        ['3']
    """
    by_class: dict[str, list[str]] = {}
    for image, classes in labels.items():
        by_class.setdefault(next(iter(classes), ""), []).append(image)
    chosen: list[str] = []
    for images in by_class.values():
        old = [image for image in images if image in kept_before]
        new = sorted((image for image in images if image not in kept_before), key=_shuffled)
        wanted = max(1, round(fraction * len(images))) if len(images) >= _LEAST else 0
        # Not more than all but one: a class needs an image to learn from.
        chosen += old[: len(images) - 1] + new[: max(0, min(wanted, len(images) - 1) - len(old))]
    if not chosen:
        raise RequestError(409, f"expected at least {_LEAST} labelled images of one class to train, label some more")
    return sorted(chosen)


def _shuffled(image: str) -> bytes:
    return hashlib.sha256(image.encode("utf-8", "surrogateescape")).digest()
