"""The plan of a bundle: every decision, with its reason."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..data import DatasetError
from ..files import atomic_path
from ..version import __version__
from .cost import training_gib
from .data_rules import decide_data
from .decision import Choices, Decision
from .picture_rules import decide_pictures
from .profile import SHARES, Profile
from .training_rules import decide_training, sizes_of
from .volume_rules import decide_volumes

__all__ = ["Plan", "make_plan"]

SCHEMA, SCHEMA_VERSION = "monai_medmamba.plan", "1.0"
GPU_GIB = 16.0


@dataclass(frozen=True)
class Plan:
    """What a bundle is written from.

    Args:
        profile: the data set.
        decisions: in the order they were taken.

    Example:
        >>> profile = Profile("set", "radiography", "likely", ("a", "b"), {"a": 300, "b": 700}, colour=False)
        >>> make_plan(profile)["augmentation"]["mirror_prob"]
        0.0
    """

    profile: Profile
    decisions: tuple[Decision, ...]

    def __getitem__(self, name: str) -> Any:
        """Returns what was decided.

        Raises:
            KeyError: there is no decision of that name.
        """
        found = {decision.name: decision.value for decision in self.decisions}
        return found[name]

    def as_dict(self) -> dict[str, Any]:
        """Returns the content of ``plan.json``."""
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "software": {"monai_medmamba": __version__},
            "profile": self.profile.as_dict(),
            "decisions": [asdict(decision) for decision in self.decisions],
            "expected": self._expected(),
        }

    def _expected(self) -> dict[str, Any]:
        """Returns what a training will take."""
        decided = {decision.name: decision.value for decision in self.decisions}
        gib = training_gib(decided["variant"]["gpu"], sizes_of(decided)["gpu"], decided["batch_size"]["gpu"])
        return {"training_gib": round(gib, 2), **({"measured_on_a_gpu": False} if self.profile.space else {})}

    def as_json(self) -> str:
        """Returns the text of ``plan.json``."""
        return json.dumps(self.as_dict(), indent=4, ensure_ascii=False) + "\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes ``plan.json``.

        Args:
            path: the file.
        """
        with atomic_path(path) as temporary:
            temporary.write_text(self.as_json(), encoding="utf-8")


def make_plan(
    profile: Profile,
    flags: Mapping[str, Any] | None = None,
    *,
    budget_hours: float | None = None,
    gpu_gib: float = GPU_GIB,
) -> Plan:
    """Decides how a data set is trained on.

    Args:
        profile: the data set.
        flags: decisions of the user, by name; None leaves one to its rule. Where a GPU and a CPU differ, one value
            serves both, or a dict with ``gpu`` and ``cpu``.
        budget_hours: how long a training may take; None for as long as the rules want.
        gpu_gib: memory of the GPU.

    Returns:
        The plan.

    Raises:
        DatasetError: The data cannot be planned for: several labels a volume, or several an image without splits.
        ValueError: A flag names no decision or a size that is too small, or the GPU is too small; or a profile of
            volumes has no ``space``.

    Example:
        >>> profile = Profile("set", "endoscopy", "certain", ("a", "b"), {"a": 1200, "b": 1200})
        >>> make_plan(profile, {"epochs": 12})["epochs"]
        {'gpu': 12, 'cpu': 12}
    """
    if profile.volumes and not profile.space:
        raise ValueError(f"{profile.name}: a profile of volumes must say where they lie, in its space")
    if profile.several_labels and profile.space:
        raise DatasetError(f"one label a volume in {profile.name}", "several", "Make a table with one label for each")
    lacking = [split for split in SHARES if not (profile.splits or {}).get(split)]
    if profile.several_labels and lacking:
        cure = "Give a file that has all three: splits are made for images of one label only"
        raise DatasetError(f"training, validation and test images in {profile.name}", f"no {', '.join(lacking)}", cure)
    choices = Choices(flags or {})
    decide_data(choices, profile)
    if profile.space:
        decide_volumes(choices, profile, profile.space)
    else:
        decide_pictures(choices, profile)
    decide_training(choices, profile, budget_hours=budget_hours, gpu_gib=gpu_gib)
    if choices.unused:
        names = ", ".join(sorted(decision.name for decision in choices.made))
        raise ValueError(f"no decisions are called {', '.join(choices.unused)}: they are {names}")
    return Plan(profile, tuple(choices.made))
