"""What a run says of itself in sentences, for the model card and the checklists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .page_text import FIGURES, FILTERS

OPEN = "To be written by the authors."


def report_facts(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of a run by topic.

    Args:
        content: the content of `report.json`.

    Returns:
        Topic to sentences; a topic that the run says nothing of is not there.

    Example:
        >>> content = {"metrics": {"class_names": ["a"]}, "run": None, "evidence": None, "limits": ["Few."]}
        >>> report_facts(content)["limits"]
        'Few.'
    """
    run, evidence = content["run"] or {}, content["evidence"]
    facts = {
        **_of_task(content["metrics"]),
        "limits": " ".join(content["limits"]),
    }
    if content.get("intended_use"):
        facts["intended_use"] = content["intended_use"]
    if run:
        facts |= _of_run(run, bool(content["metrics"].get("several_labels")))
    if evidence:
        facts |= _of_evidence(content["metrics"], evidence)
    return facts


def _of_task(metrics: Mapping[str, Any]) -> dict[str, str]:
    names = ", ".join(metrics["class_names"])
    if metrics.get("several_labels"):
        return {
            "outcome": f"Any number of these labels an image: {names}.",
            "output": "A probability for each label, for itself; labels of 0.5 or more are found.",
        }
    return {
        "outcome": f"One of these classes an image: {names}.",
        "output": "A probability for each class; the most probable one is the prediction.",
    }


def _of_run(run: Mapping[str, Any], several: bool) -> dict[str, str]:
    config = ", ".join(f"{name} {FILTERS['setting'](value)}" for name, value in (run.get("config") or {}).items())
    versions = ", ".join(f"{name} {version}" for name, version in (run.get("versions") or {}).items())
    listed = {
        split: ", ".join(f"{name} {count}" for name, count in by_class.items())
        for split, by_class in (run.get("counts") or {}).items()
    }
    counts = "; ".join(
        f"{split}: {names}" if several else f"{split}: {sum(run['counts'][split].values())} ({names})"
        for split, names in listed.items()
    )
    size = f", {run['parameters']:,} parameters" if run.get("parameters") else ""
    ours = run.get("network", "MedMamba") == "MedMamba"
    name = f"{'MedMamba' if ours else run['network']} {run.get('variant') or ''}".rstrip()
    parts = "convolutions and selective scans" if ours else "convolutions"
    found = {
        "title": f"{name}, a network of {parts}, for the classification of images.",
        "data": f"Data set: {run.get('dataset') or 'unknown'}."
        + (f" Images by split and {'label' if several else 'class'}: {counts}." if counts else ""),
        "model": f"{name}{' (arXiv:2403.03849)' if ours else ', of MONAI'}{size}.",
        "software": f"{versions}." if versions else "",
        "training": f"Settings: {config}. The epoch was chosen on validation alone." if config else "",
        "hardware": str(run.get("device") or ""),
    }
    if run.get("seconds") is not None:
        found["hardware"] += f", {FILTERS['duration'](run['seconds'])} of training"
    return {topic: text for topic, text in found.items() if text}


def _of_evidence(metrics: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, str]:
    drawn, calibration = evidence["bootstrap"], evidence["calibration"]
    performance = ", ".join(
        f"{name} {_with_interval(evidence['figures'][key])}"
        for key, name in FIGURES.items()
        if evidence["figures"].get(key, {}).get("value") is not None
    )
    found = {
        "uncertainty": f"{drawn['method'].capitalize()} intervals of {100 * drawn['confidence']:g} %, "
        f"{drawn['resamples']} resamples of {drawn['units']} units (unit: {drawn['unit']}), not stratified, seed "
        f"{drawn['seed']}.",
        "performance": f"On the {metrics.get('split') or 'evaluated'} split: {performance}.",
        "calibration": _temperature(calibration["temperature"]),
        "metrics": "Precision, sensitivity, specificity, F1 and AUC of each class against the rest and their "
        "unweighted means, accuracy, balanced accuracy, average precision, kappa, Matthews correlation, Brier score, "
        "calibration error.",
    }
    if "after" in calibration:
        found["calibration"] += (
            f" Expected calibration error on the evaluated images {calibration['before']['ece']:.3f} before and "
            f"{calibration['after']['ece']:.3f} after."
        )
    else:
        found["calibration"] = (
            "No temperature is fitted where an image may have several labels. Expected calibration error, mean over "
            f"the labels: {evidence['figures']['ece']['value']:.3f}."
        )
        found["metrics"] = (
            "For each label, with 0.5 as the threshold, and as unweighted means: precision, sensitivity, specificity, "
            "F1, AUC, average precision, Matthews correlation, Brier score, calibration error; share of right answers "
            "and of images with every label right."
        )
    data = evidence["data"]
    if data:
        counted = "; ".join(
            f"{split}: {row['images']} images" + (f" of {row['patients']} patients" if row["patients"] else "")
            for split, row in data["splits"].items()
        )
        found["partitions"] = f"Split by {data['level']}. {counted}."
        if data["repeated_files"]:
            found["partitions"] += (
                f" Files repeated byte by byte: {data['repeated_files']['within_a_split']} within a split, "
                f"{data['repeated_files']['across_splits']} across splits."
            )
    if evidence["subgroups"]:
        found["subgroups"] = (
            f"Figures by {', '.join(table['column'] for table in evidence['subgroups'])}: see the report."
        )
    points = [row for row in evidence["operating_points"] or [] if row["threshold"] is not None]
    if points:
        found["thresholds"] = (
            f"{len(points)} operating points chosen on validation and applied to the test: see the report."
        )
    return found


def _temperature(value: float) -> str:
    if value == 1:
        return "No temperature was fitted, or none was needed."
    return f"The logits are divided by the temperature {value:.3f}, fitted on validation."


def _with_interval(row: Mapping[str, Any]) -> str:
    return f"{row['value']:.3f}" + ("" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})")
