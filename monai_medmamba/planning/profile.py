"""What the rules need to know of a data set: the part of a fingerprint that decisions hang on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..data import DatasetError
from ..fingerprint.listing import SUBJECT

__all__ = ["Profile", "Space", "profile_of"]

SHARES = {"training": 0.6, "validation": 0.1, "test": 0.3}
"""Of the splits, where a data set has none."""


@dataclass(frozen=True)
class Space:
    """Where volumes lie in space, and what their values are; axes run towards the patient's right, front and head.

    Args:
        extent: millimetres along each axis; 95 of 100 volumes reach no further.
        spacing: millimetres between voxels along each axis, at the median.
        low: lowest value of all.
        high: highest value of all.
        bytes: whether values are whole numbers from 0 to 255 without a unit.

    Example:
        >>> Space((72, 72, 72), (1.5, 1.5, 1.5), low=-1000, high=800).bytes
        False
    """

    extent: tuple[float, float, float]
    spacing: tuple[float, float, float]
    low: float
    high: float
    bytes: bool = False


@dataclass(frozen=True)
class Profile:
    """A data set as the planner sees it.

    Args:
        name: of the data set.
        modality: as the fingerprint guesses it, in words.
        certainty: of that guess: ``certain``, ``likely`` or ``unsure``.
        classes: names of the classes, in order.
        counts: images of each class, in all splits together.
        splits: images of each split, where the data set has splits; else None.
        patients: how many there are; 0 where that is not known.
        colour: whether most images have colours.
        short_side: median of the images' shorter sides, in pixels.
        aspect: median of width over height.
        mean: of the pixels of each channel, on a scale from 0 to 1; None where it is not known.
        std: of the same.
        volumes: how many images are volumes.
        space: where these lie; None of images.
        several_labels: whether an image may have several labels.
        repeats: groups of files with the same content; of each file its path, label and split.
        layout: how the data are to be read; keyword arguments of ``build_datalist``.

    Example:
        >>> profile = Profile("set", "endoscopy", "certain", ("a", "b"), {"a": 30, "b": 70}, colour=True)
        >>> profile.training, profile.imbalance
        (60, 2.3333333333333335)
    """

    name: str
    modality: str
    certainty: str
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    splits: Mapping[str, int] | None = None
    patients: int = 0
    colour: bool = True
    short_side: float = 224
    aspect: float = 1.0
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    volumes: int = 0
    several_labels: bool = False
    repeats: tuple[tuple[tuple[str, str | None, str | None], ...], ...] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    space: Space | None = None

    @property
    def things(self) -> str:
        """What is classified: ``images`` or ``volumes``."""
        return "volumes" if self.space else "images"

    @property
    def images(self) -> int:
        """How many images there are."""
        return sum(self.splits.values()) if self.splits else sum(self.counts.values())

    @property
    def training(self) -> int:
        """How many images a training will have."""
        return self.splits.get("training", 0) if self.splits else round(SHARES["training"] * self.images)

    @property
    def imbalance(self) -> float:
        """How many times as many images as the smallest class the largest has.

        Where an image may have several labels: how many times as many images lack the rarest label as have it.
        """
        if self.several_labels:
            rarest = max(1, min(self.counts.values()))
            return (self.images - rarest) / rarest
        return max(self.counts.values()) / max(1, min(self.counts.values()))

    def as_dict(self) -> dict[str, Any]:
        """Returns it as JSON takes it, without the files that repeat each other."""
        content = {name: value for name, value in asdict(self).items() if name != "repeats"}
        return content if self.space else {name: value for name, value in content.items() if name != "space"}


def profile_of(fingerprint: Mapping[str, Any], layout: Mapping[str, Any] | None = None) -> Profile:
    """Takes from a fingerprint what the planner needs.

    Args:
        fingerprint: what ``fingerprint_dataset`` or ``load_fingerprint`` returns.
        layout: how the data are to be read, where their layout alone does not tell.

    Returns:
        The profile.

    Raises:
        DatasetError: There is nothing to classify: no readable image, or fewer than two classes; or images and volumes
            are mixed.

    Example:
        >>> import tempfile
        >>> from monai_medmamba.data import endoscopy_phantoms
        >>> from monai_medmamba.fingerprint import fingerprint_dataset
        >>> data = endoscopy_phantoms(tempfile.mkdtemp() + "/set", images_per_class=3, size=32)
        >>> profile_of(fingerprint_dataset(data, tempfile.mkdtemp())).images
        24
    """
    labels, sizes = fingerprint["labels"], fingerprint["sizes"]
    name = fingerprint["dataset"]["name"]
    counts = {entry["name"]: entry["images"] for entry in labels["classes"]}
    if not fingerprint["dataset"]["readable"]:
        raise DatasetError(f"images in {name}", "none that can be read", "See the list in fingerprint.html")
    if len(counts) < 2:
        cure = "Sort the images into one folder a class, or name the table and its columns with --csv and --column"
        raise DatasetError(f"two classes or more in {name}", f"{len(counts)}", cure, list(counts))
    unit = [group for group in fingerprint["intensity"] if group["scale"] == "0 to 1"]
    mean, std = _moments(unit[0]) if len(unit) == len(fingerprint["intensity"]) == 1 else (None, None)
    readable = fingerprint["dataset"]["readable"]
    return Profile(
        name=name,
        modality=fingerprint["modality"]["guess"],
        certainty=fingerprint["modality"]["confidence"],
        classes=tuple(counts),
        counts=counts,
        splits=fingerprint["splits"],
        patients=_patients(fingerprint),
        colour=fingerprint["files"]["colour"] > readable / 2,
        short_side=min(sizes["width"]["median"], sizes["height"]["median"]),
        aspect=sizes["aspect"]["median"],
        mean=mean,
        std=std,
        volumes=fingerprint["files"]["volumes"],
        several_labels=labels["several_per_image"],
        repeats=tuple(
            tuple(zip(group["files"], group["labels"], group["splits"], strict=True))
            for group in fingerprint["duplicates"]["exact"]["list"]
        ),
        layout={**_patient_pattern(fingerprint, layout or {}), **(layout or {})},
        space=_space(fingerprint),
    )


def _patients(fingerprint: Mapping[str, Any]) -> int:
    """Returns how many patients there are; one whom all volumes show is none, as for ``number_patients``."""
    known = fingerprint["patients"]["patients"] if fingerprint["patients"]["known"] else 0
    return 0 if known == 1 and fingerprint["files"]["volumes"] else known


def _patient_pattern(fingerprint: Mapping[str, Any], layout: Mapping[str, Any]) -> dict[str, str]:
    """Returns how NIfTI files named by subject tell their patient when the data are read."""
    named = fingerprint["patients"]["images_with_patient"] == fingerprint["dataset"]["images"] > 0
    bids = (
        named
        and list(fingerprint["files"]["formats"]) == ["NIfTI"]
        and fingerprint["labels"]["labels_from"] == "folders"
    )
    return {"patient_pattern": SUBJECT.pattern} if bids and "patient_pattern" not in layout else {}


def _space(fingerprint: Mapping[str, Any]) -> Space | None:
    """Returns where volumes lie; raises DatasetError where some of the images are none."""
    name, volumes = fingerprint["dataset"]["name"], fingerprint["files"]["volumes"]
    if not volumes:
        return None
    if volumes < fingerprint["dataset"]["readable"]:
        flat = fingerprint["dataset"]["readable"] - volumes
        cure = "Move one kind into a folder of its own; see the list in fingerprint.html"
        raise DatasetError(f"images or volumes in {name}", f"{volumes} volumes and {flat} images of one slice", cure)
    place, values = fingerprint["sizes"]["in_space"], fingerprint["intensity"]
    whole = all(group["scale"] == "0 to 1" for group in values)
    scale = 255 if whole else 1
    return Space(
        extent=tuple(round(axis["p95"], 1) for axis in place["extent_mm"]),
        spacing=tuple(axis["median"] for axis in place["spacing_mm"]),
        low=min(group["min"] for group in values) * scale,
        high=max(group["max"] for group in values) * scale,
        bytes=whole,
    )


def _moments(group: Mapping[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of the training images, where they are told apart, else of all."""
    found = group["by_split"].get("training") or group
    return tuple(found["mean"]), tuple(found["std"])
