"""The figures of parts of the test set: by site, sex, scanner, or any other column of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .bootstrap import Bootstrap, bootstrap_intervals
from .classification import JudgedClasses
from .findings import FindingPredictions
from .multilabel import JudgedFindings
from .predictions import Predictions

SHOWN = ("accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity", "f1")
UNKNOWN = "not given"
MOST_VALUES = 12


def subgroup_figures(
    test: Predictions | FindingPredictions, columns: Mapping[str, Sequence[str | None]], bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    """Return the figures for the images of each value of each column, with intervals and numbers.

    Args:
        test: predictions with known classes, or labels.
        columns: column name to the value of each image, None or "" where it is not given.
        bootstrap: how images are drawn, within the part.

    Returns:
        One dictionary a column: `column` and `rows`, one a value, with `value`, `images`, `units` (patients where
        they are known) and `figures`, name to value and interval. Values in the order of their names, those not given
        last.

    Raises:
        ValueError: a column does not have one value an image, or has more than 12 different ones.

    Example:
        >>> images = [f"{i}.png" for i in range(4)]
        >>> test = Predictions(images, np.array([0, 1, 0, 1]), np.float32([[0.9, 0.1], [0.2, 0.8]] * 2), ["a", "b"])
        >>> rows = subgroup_figures(test, {"site": ["x", "x", "y", "y"]}, Bootstrap(resamples=20))[0]["rows"]
        >>> [(row["value"], row["images"], row["figures"]["accuracy"]["value"]) for row in rows]
        [('x', 2, 1.0), ('y', 2, 1.0)]
    """
    tables = []
    for column, given in columns.items():
        values = np.array([value or UNKNOWN for value in given], dtype=object)
        if len(values) != len(test.images):
            raise ValueError(
                f"column {column}: expected a value for each of {len(test.images)} images, got {len(values)}"
            )
        different = sorted(set(values), key=lambda value: (value == UNKNOWN, value))
        if len(different) > MOST_VALUES:
            raise ValueError(
                f"column {column}: expected at most {MOST_VALUES} different values, got {len(different)}; "
                "put them into ranges first"
            )
        tables.append({"column": column, "rows": [_row(test, values == v, v, bootstrap) for v in different]})
    return tables


def _row(test: Predictions | FindingPredictions, inside: Any, value: str, bootstrap: Bootstrap) -> dict[str, Any]:
    places = np.flatnonzero(inside)
    groups = None if bootstrap.groups is None else [bootstrap.groups[int(place)] for place in places]
    part = replace(bootstrap, groups=groups)
    figures = bootstrap_intervals(_judge(test, places), part)["figures"]
    return {
        "value": value,
        "images": len(places),
        "units": int(part.units(len(places)).max()) + 1,
        "figures": {name: figures[name] for name in SHOWN},
    }


def _judge(test: Predictions | FindingPredictions, places: Any) -> JudgedClasses | JudgedFindings:
    if isinstance(test, FindingPredictions):
        return JudgedFindings(test.probabilities[places], test.members[places], test.class_names)
    return JudgedClasses(test.probabilities[places], test.truth[places], test.class_names)
