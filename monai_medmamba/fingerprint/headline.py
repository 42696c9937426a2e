"""A fingerprint in a few lines, the same on the screen and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 6


def headline(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns the main facts of a fingerprint in words.

    Args:
        content: The content of ``fingerprint.json``.

    Returns:
        Pairs of a name and a text.

    Example:
        >>> from monai_medmamba.fingerprint import fingerprint_dataset, headline
        >>> from monai_medmamba.data import endoscopy_phantoms
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> data = endoscopy_phantoms(folder + "/set", images_per_class=3, size=32)
        >>> headline(fingerprint_dataset(data, folder + "/out"))[2]
        ('sizes', '32 x 32')
    """
    dataset, files, labels, patients = (content[name] for name in ("dataset", "files", "labels", "patients"))
    duplicates = content["duplicates"]
    facts = [
        ("data set", f"{dataset['name']}, {dataset['layout']}"),
        ("images", _images(dataset, content["splits"])),
        ("sizes", _sizes(content["sizes"])),
        ("stored as", f"{_tally(files['formats'])}; {_tally(files['storage'])}"),
        ("classes", _classes(labels)),
        ("patients", _patients(patients)),
        ("repeats", _repeats("the same", duplicates["exact"]) + "; " + _repeats("alike", duplicates["near"])),
        ("modality", f"{content['modality']['guess']} ({content['modality']['confidence']})"),
        ("to look at", ", ".join(_number(count, weight) for weight, count in content["summary"].items())),
    ]
    return [(name, text) for name, text in facts if text]


def _images(dataset: Mapping[str, Any], splits: Mapping[str, int] | None) -> str:
    text = f"{dataset['images']}" + (f" ({_tally(splits)})" if splits else "")
    return text + (f", {dataset['unreadable']} unreadable" if dataset["unreadable"] else "")


def _sizes(sizes: Mapping[str, Any]) -> str:
    if not sizes["most_common"]:
        return ""
    first = sizes["most_common"][0]
    depth = f" x {first['depth']}" if sizes["depth"]["max"] > 1 else ""
    text = f"{first['width']} x {first['height']}{depth}"
    if sizes["distinct"] == 1:
        return text
    low, high = ((sizes["width"][end], sizes["height"][end]) for end in ("min", "max"))
    ends = f"widths {low[0]:g} to {high[0]:g}, heights {low[1]:g} to {high[1]:g}"
    return f"{sizes['distinct']} sizes, {ends}; most often {text}"


def _classes(labels: Mapping[str, Any]) -> str:
    classes = labels["classes"]
    if not classes:
        return "none known"
    listed = {entry["name"]: entry["images"] for entry in sorted(classes, key=lambda entry: -entry["images"])}
    several = ", several an image" if labels["several_per_image"] else ""
    return f"{len(classes)}{several}: {_tally(listed)}"


def _patients(patients: Mapping[str, Any]) -> str:
    if not patients["known"]:
        return "not known"
    spread = patients["images_per_patient"]
    return f"{patients['patients']}, of {spread['min']:g} to {spread['max']:g} images, median {spread['median']:g}"


def _repeats(how: str, groups: Mapping[str, Any]) -> str:
    if not groups["groups"]:
        return f"none {how}"
    text = f"{groups['images']} images in {_number(groups['groups'], 'group')} {how}"
    across = [f"{groups[f'across_{what}']} across {what}" for what in ("splits", "labels") if groups[f"across_{what}"]]
    return text + (f" ({', '.join(across)})" if across else "")


def _tally(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count}" for name, count in list(counts.items())[:MOST]]
    rest = len(counts) - MOST
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
