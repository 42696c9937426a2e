"""Rules on the data: what is left out, how it is split, and what is done about rare classes."""

from __future__ import annotations

from ..data.medmnist3d import unpacked_volume
from ..data.medmnist_images import unpacked_name
from .decision import Choices
from .profile import SHARES, Profile

EVEN, VERY_UNEVEN = 1.5, 20.0
"""Ratios of the largest class to the smallest from which a loss is weighted, and from which less than in full."""
FEW = 2000
"""Images up to which one split says little, and folds are worth their time."""


def decide_data(choices: Choices, profile: Profile) -> None:
    """Decides on exclusions, splits, folds and weights of classes."""
    choices.settle("exclude", *_exclude(profile))
    choices.settle("split", *_split(profile))
    choices.settle("fractions", [SHARES[name] for name in SHARES], _fractions(profile))
    choices.settle("folds", *_folds(profile))
    choices.settle("class_weight_power", *_weight_power(profile))


def _exclude(profile: Profile) -> tuple[list[str], str]:
    """Returns the files to leave out: of contradicting pictures all but those that the data set tests on."""
    one = "volume" if profile.space else "picture"
    if profile.several_labels and not profile.repeats:
        return [], "No picture is there more than once."
    if profile.several_labels:
        return [], (
            f"{len(profile.repeats)} pictures are there more than once. Those with differing labels or in two splits "
            "are left out, and named, when the data are read."
        )
    found = []
    for group in profile.repeats:
        labels, splits = {label for _, label, _ in group}, {split for *_, split in group}
        if len(labels) > 1 or len(splits) > 1:
            kept = [path for path, _, split in group if split == "test"]
            found += [path for path, *_ in group if path not in kept[: 1 if len(labels) == 1 else len(kept)]]
    if not found:
        return found, f"No {one} has two labels or is in two splits."
    labels_of = {path: label for group in profile.repeats for path, label, _ in group}
    unpacked = [unpacked_volume(path, labels_of[path]) if profile.space else unpacked_name(path) for path in found]
    return sorted(unpacked), (
        f"{len(found)} files show a {one} that is also there under another label or in another split: whatever is "
        "learnt from them is wrong or known already. Files of a given test split stay, so that its figures compare."
    )


def _split(profile: Profile) -> tuple[str, str]:
    if profile.splits and profile.splits.get("test"):
        lacking = "" if profile.splits.get("validation") else " Validation is taken out of training."
        return "given", f"The data set says what is tested on: only so do its figures compare.{lacking}"
    if profile.patients:
        return "by patient", (
            f"{profile.patients} patients are known: one of them on both sides would make the figures too good."
        )
    one, same = ("volume", "volume") if profile.space else ("image", "picture")
    return f"by {one}", (
        f"No patient is known. {profile.things.capitalize()} of one patient may lie on both sides, and the figures may "
        f"then be too good: give patients with a table or with --patient if you can. The same {same} is never parted."
    )


def _fractions(profile: Profile) -> str:
    if profile.splits:
        return "Only used for a split that the data set lacks."
    return (
        f"Three tenths give the test enough {profile.things} to say something; a tenth is enough to choose an epoch by."
    )


def _folds(profile: Profile) -> tuple[int, str]:
    if profile.splits and profile.splits.get("test"):
        return 1, "The data set's own split is used once."
    if profile.images <= FEW:
        why = f"With {profile.images} {profile.things} one split depends on chance"
        return 5, f"{why}: `medmamba cv` judges each {profile.things.removesuffix('s')} outside the test split once."
    return 1, f"With {profile.images} {profile.things} one split is steady enough."


def _weight_power(profile: Profile) -> tuple[float, str]:
    ratio, things = profile.imbalance, profile.things
    if profile.several_labels:
        return _positive_power(ratio)
    if ratio < EVEN:
        return 0.0, f"The largest class has {ratio:.2g} times as many {things} as the smallest: no weights are needed."
    if ratio < VERY_UNEVEN:
        return 1.0, (
            f"The largest class has {ratio:.2g} times as many {things} as the smallest: each class counts alike in the "
            "loss, by weights of inverse frequency."
        )
    return 0.5, (
        f"The largest class has {ratio:.3g} times as many {things} as the smallest: full weights would let single "
        f"{things} rule, so their square roots are taken."
    )


def _positive_power(ratio: float) -> tuple[float, str]:
    if ratio < EVEN:
        return 0.0, f"At most {ratio:.2g} times as many images lack a label as have it: no weights are needed."
    if ratio < VERY_UNEVEN:
        return 1.0, (
            f"Up to {ratio:.2g} times as many images lack a label as have it: both sides count alike in the loss, by "
            "weights of the images that have it."
        )
    return 0.5, (
        f"Up to {ratio:.3g} times as many images lack a label as have it: full weights would let single images rule, "
        "so the square roots of images without by images with it are taken."
    )
