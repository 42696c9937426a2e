"""What a bundle says of its data set in words: of ours by name, or in general for a user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from .profile import Profile, Space

__all__ = ["TASKS", "Task", "load_task", "task_of"]

TASKS = (
    "medmamba_endo",
    "medmamba_ultrasound",
    "medmamba_xray",
    "medmamba_derm",
    "medmamba_medmnist",
    "medmamba_breast_us",
    "medmamba_ct3d",
)
"""The bundles that come with the project; each was written by the planner from the file of its name."""


@dataclass(frozen=True)
class Task:
    """The words of a bundle.

    Args:
        title: of the bundle.
        summary: what it classifies, as in ``gastrointestinal endoscopy images``.
        data: paragraphs on the data set, in Markdown: source, layout, split.
        source: of the data, a line.
        licence: text of ``data_license.txt``.
        references: to be cited.
        results: Markdown, what was measured with the bundle; empty for nothing yet.
        limits: a list of sentences.
        version: of the bundle.
        changes: what each version brought.

    Example:
        >>> load_task("medmamba_endo")[0].summary
        'gastrointestinal endoscopy images'
    """

    title: str
    summary: str
    data: str
    source: str
    licence: str
    references: tuple[str, ...] = ()
    results: str = ""
    limits: tuple[str, ...] = ()
    version: str = "0.1.0"
    changes: Mapping[str, str] | None = None


def load_task(name: str) -> tuple[Task, Profile, dict[str, Any]]:
    """Returns the words, the data set's profile and the decisions of one of our bundles.

    Args:
        name: of the bundle, one of ``TASKS``.

    Returns:
        The task, the profile, and flags for ``make_plan``.

    Raises:
        ValueError: there is no such bundle.

    Example:
        >>> load_task("medmamba_endo")[1].classes[0]
        'dyed-lifted-polyps'
    """
    if name not in TASKS:
        raise ValueError(f"expected one of {', '.join(TASKS)}, got {name}")
    content = json.loads(files(__package__).joinpath("tasks", f"{name}.json").read_text(encoding="utf-8"))
    words: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["task"].items()
    }
    for key in ("data", "licence", "results"):
        words[key] = "\n".join(words.get(key, ()))
    profile: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["profile"].items()
    }
    profile["classes"] = tuple(profile["counts"])
    if "space" in profile:
        profile["space"] = Space(**profile["space"])
    return Task(**words), Profile(**profile), content.get("flags", {})


def task_of(profile: Profile) -> Task:
    """Returns the words for a data set that nobody has described.

    Args:
        profile: the data set.

    Returns:
        The task. Source and licence say that they are to be filled in.

    Example:
        >>> task_of(Profile("hips", "radiography", "likely", ("a", "b"), {"a": 5, "b": 5})).title
        'MedMamba on hips'
    """
    names = ", ".join(f"`{name}`" for name in profile.classes)
    kind = profile.things if profile.modality in ("unknown", "mixed") else f"{profile.modality} {profile.things}"
    labels = "with any number of the labels" if profile.several_labels else "in the classes"
    return Task(
        title=f"MedMamba on {profile.name}",
        summary=kind,
        data=(
            f"Planned for the data set {profile.name}: {profile.images} {kind} {labels} {names}. `plan.json` "
            "beside the configs holds every decision and its reason."
        ),
        source=f"{profile.name}; write here where the data come from",
        licence=f"{profile.name}\n    Write here where the data come from, and under which licence they may be used.",
        limits=("Nothing has been measured with this bundle yet.",),
    )
