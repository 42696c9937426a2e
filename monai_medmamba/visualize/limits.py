"""What a reader must know before believing a figure, told from the files of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW = 30
"""Images of a class in the test, below which its figures say little."""


def limits(content: Mapping[str, Any]) -> list[str]:
    """Return the limits of an evaluation, one sentence each and without numbers.

    Args:
        content: the content of `report.json`, as far as it is made.

    Returns:
        Sentences, the gravest first.

    Example:
        >>> limits({"metrics": {"per_class": []}, "run": {"dataset_kind": "phantoms"}, "evidence": None})[0]
        'The images are synthetic phantoms: nothing is known about patients.'
    """
    metrics, run, evidence = content["metrics"], content["run"] or {}, content["evidence"] or {}
    data = evidence.get("data") or {}
    repeats = data.get("repeated_files") or {}
    found = []
    if run.get("dataset_kind") == "phantoms":
        found.append("The images are synthetic phantoms: nothing is known about patients.")
    if data.get("patients_in_two_splits"):
        found.append("Some patients are in two splits: the figures are too good.")
    if repeats.get("across_splits"):
        found.append("Some files are in two splits, byte by byte: the figures are too good.")
    if not data:
        found.append("No data list was found: nothing is known about patients and repeated files.")
    elif data.get("level") == "image":
        found.append(
            "Patients are not known: images of one patient may be on both sides of the split, the figures then are too "
            "good and the intervals too narrow."
        )
    few = [row["class"] for row in metrics["per_class"] if row["support"] < FEW]
    kind = "Labels" if metrics.get("several_labels") else "Classes"
    if few:
        found.append(f"{kind} with few test images, whose figures say little: {', '.join(few)}.")
    if any(row["low"] is not None and row["low"] == row["high"] for row in evidence.get("figures", {}).values()):
        found.append(
            "Some intervals have no width: resampling cannot show errors of a kind that no test image shows. That is "
            "no certainty."
        )
    if evidence and evidence.get("operating_points") is None:
        found.append("No predictions on validation images were found: no threshold was chosen.")
    if metrics.get("several_labels"):
        found.append(
            "No temperature is fitted for several labels an image: those of rare labels may be too "
            "high where the loss gives them weight."
        )
    elif evidence and evidence["calibration"]["temperature"] == 1:
        found.append("No temperature was fitted, or none was needed: the probabilities are those of the network.")
    found.append("One training with one seed: how much another would differ is not in the intervals.")
    found.append("The test images come from the same source as the training images: no other site was tried.")
    return found
