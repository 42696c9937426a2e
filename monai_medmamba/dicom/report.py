"""What a report says, free of DICOM: images, classes, probabilities, and what computed them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from .algorithm import Algorithm
from .codes import Code

__all__ = ["Instance", "Report", "Result"]

SINGLE, SEVERAL = "one class an image", "several labels an image"  # first parameter of the algorithm in a report
THRESHOLD = 0.5
"""From which probability on one of several labels counts as found, as in the table of predictions."""


class Instance(NamedTuple):
    """A DICOM image that a result was computed from.

    Args:
        sop_class: Its SOPClassUID.
        uid: Its SOPInstanceUID.
        series: Its SeriesInstanceUID.
        frames: Which of its frames, from 1; empty for all.

    Example:
        >>> Instance("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2").frames
        ()
    """

    sop_class: str
    uid: str
    series: str
    frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """What was said of one image, or of one volume.

    Args:
        instances: What it was computed from, at least one.
        probabilities: One a class, in [0, 1].

    Raises:
        ValueError: There is no instance, or a probability is none.

    Example:
        >>> Result((Instance("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2"),), (0.25, 0.75)).probabilities[1]
        0.75
    """

    instances: tuple[Instance, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.instances:
            raise ValueError("expected at least one instance that a result was computed from, got none")
        if not all(math.isfinite(value) and 0 <= value <= 1 for value in self.probabilities):
            raise ValueError(f"expected probabilities in [0, 1], got {self.probabilities}")


@dataclass(frozen=True)
class Report:
    """The results of one study.

    Args:
        study: StudyInstanceUID.
        algorithm: What computed them.
        codes: One a class, in the order of the probabilities.
        several_labels: Whether an image may have several labels: each of 0.5 or more is then present, and otherwise
            the most probable class alone.
        results: At least one.

    Raises:
        ValueError: There is no result, or one has another number of probabilities than there are codes.

    Example:
        >>> image = Instance("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2")
        >>> classes = (Code("a", "99MEDMAMBA", "a"), Code("b", "99MEDMAMBA", "b"))
        >>> report = Report("1.2", Algorithm("MedMamba", "1"), classes, False, (Result((image,), (0.25, 0.75)),))
        >>> report.present(report.results[0])
        (False, True)
    """

    study: str
    algorithm: Algorithm
    codes: tuple[Code, ...]
    several_labels: bool
    results: tuple[Result, ...]

    def __post_init__(self) -> None:
        if not self.results:
            raise ValueError("expected at least one result in a report, got none")
        wrong = [len(result.probabilities) for result in self.results if len(result.probabilities) != len(self.codes)]
        if wrong:
            raise ValueError(f"expected {len(self.codes)} probabilities a result, one a class, got {wrong[0]}")

    def present(self, result: Result) -> tuple[bool, ...]:
        """Returns whether each class is said to be there."""
        if self.several_labels:
            return tuple(value >= THRESHOLD for value in result.probabilities)
        best = max(range(len(self.codes)), key=result.probabilities.__getitem__)
        return tuple(place == best for place in range(len(self.codes)))
