"""Two classifiers on the same images: paired differences with intervals, and McNemar's test."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from .bootstrap import Bootstrap, resampled
from .classification import JudgedClasses
from .predictions import Predictions
from .weighed import means_over_classes, point_figures

COMPARED = (
    "accuracy",
    "balanced_accuracy",
    "auc",
    "average_precision",
    "precision",
    "sensitivity",
    "specificity",
    "f1",
    "kappa",
    "mcc",
    "brier",
    "log_loss",
    "ece",
)
LOWER_IS_BETTER = ("brier", "log_loss", "ece")
_NAMED = 5


def compare_predictions(first: Predictions, second: Predictions, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the differences between two classifiers on the same test images.

    Each resample draws images for both at once, so what makes an image hard for both does not blur the difference.
    McNemar's exact test asks of the images that only one of the two classifies rightly whether they fall evenly on
    both; it takes images for independent, which those of one patient are not.

    Args:
        first: predictions with known classes.
        second: predictions on the same images, in any order.
        bootstrap: how images are drawn; its groups are in the order of `first`.

    Returns:
        `images`; `figures`, name to `first`, `second`, `difference` (second minus first, with `value`, `low`, `high`
        and `resamples`) and `lower_is_better`; `mcnemar` with `only_first_right`, `only_second_right` and the
        two-sided `p_value`; JSON without NaN.

    Raises:
        ValueError: images, classes or truth differ, with names; or the truth is unknown.

    Example:
        >>> a = Predictions(["1", "2"], np.array([0, 1]), np.float32([[0.9, 0.1], [0.6, 0.4]]), ["x", "y"])
        >>> b = Predictions(["2", "1"], np.array([1, 0]), np.float32([[0.2, 0.8], [0.9, 0.1]]), ["x", "y"])
        >>> compare_predictions(a, b, Bootstrap(resamples=50))["figures"]["accuracy"]["difference"]["value"]
        0.5
    """
    from scipy.stats import binomtest

    order = matching_order(first, second)
    judged = [
        JudgedClasses(first.probabilities, first.truth, first.class_names),
        JudgedClasses(second.probabilities[order], second.truth[order], second.class_names),
    ]
    points = []
    for each in judged:
        overall, by_class = point_figures(each)
        points.append({**means_over_classes(by_class, by_class), **overall})
    drawn = [resampled(each, bootstrap).overall for each in judged]
    figures = {}
    for name in COMPARED:
        values = [float(point[name][0]) for point in points]
        difference = bootstrap.interval(values[1] - values[0], drawn[1][name] - drawn[0][name])
        shown = [None if np.isnan(value) else value for value in values]
        figures[name] = {"first": shown[0], "second": shown[1], "difference": difference}
        figures[name]["lower_is_better"] = name in LOWER_IS_BETTER
    right = [each.predicted == each.truth for each in judged]
    only = [int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())]
    p_value = float(binomtest(only[0], sum(only)).pvalue) if sum(only) else 1.0
    return {
        "images": len(first.images),
        "bootstrap": bootstrap.describe(len(first.images)),
        "figures": figures,
        "mcnemar": {"only_first_right": only[0], "only_second_right": only[1], "p_value": p_value},
    }


def matching_order(first: Predictions, second: Predictions) -> list[int]:
    """Return the place in `second` of each image of `first`.

    Images are matched by path; where the paths differ, by path below the folder that all images of a list share.

    Args:
        first: predictions.
        second: predictions on the same images.

    Returns:
        One place an image of `first`.

    Raises:
        ValueError: images, classes or truth differ, or an image is listed twice; the message names them.

    Example:
        >>> rows = np.float32([[0.5, 0.5]] * 2)
        >>> a = Predictions(["/a/x/1.png", "/a/y/2.png"], np.array([0, 1]), rows, ["x", "y"])
        >>> matching_order(a, Predictions(["/b/y/2.png", "/b/x/1.png"], np.array([1, 0]), rows, ["x", "y"]))
        [1, 0]
    """
    if first.class_names != second.class_names:
        raise ValueError(f"the classes differ: {first.class_names} and {second.class_names}; compare runs of one task")
    names = [first.images, second.images]
    if set(names[0]) != set(names[1]):
        names = [_below_common_folder(images) for images in names]
    places = [{image: place for place, image in enumerate(images)} for images in names]
    for images, place in zip(names, places, strict=True):
        if len(place) != len(images):
            twice = sorted({image for image in images if images.count(image) > 1})
            raise ValueError(f"expected each image once, these are listed again: {_some(twice)}")
    missing, extra = sorted(places[0].keys() - places[1].keys()), sorted(places[1].keys() - places[0].keys())
    if missing or extra:
        raise ValueError(
            f"the test images differ: {len(missing)} only in the first ({_some(missing)}), {len(extra)} only in the "
            f"second ({_some(extra)}); evaluate both on the same split"
        )
    order = [places[1][image] for image in names[0]]
    other = [image for image, a, b in zip(names[0], first.truth, second.truth[order], strict=True) if a != b]
    if other:
        raise ValueError(
            f"the true class differs for {len(other)} images: {_some(other)}; evaluate both on one data set"
        )
    return order


def _below_common_folder(images: Sequence[str]) -> list[str]:
    folders = [os.path.dirname(image) for image in images]
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # absolute and relative paths together, or no image
        return list(images)
    return [PurePath(os.path.relpath(image, common or os.curdir)).as_posix() for image in images]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(os.path.basename(name) for name in names[:_NAMED])
    return (shown or "none") + (", ..." if len(names) > _NAMED else "")
