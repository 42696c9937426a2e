"""Rules on the training: size of the network, batch, time, learning rate and regularisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .cost import training_gib, training_hours
from .decision import Choices
from .profile import Profile

ORDER = ("nano", "tiny", "small", "base")
RATES = {"nano": 2.8e-3, "tiny": 1e-3, "small": 7e-4, "base": 5e-4}
"""Learning rates at a batch of 64, for AdamW."""
DROP_PATH = {"nano": 0.0, "tiny": 0.1, "small": 0.2, "base": 0.3}
EPOCHS = {"gpu": (30, 200), "cpu": (20, 100)}
MANY = {"small": 50_000, "base": 200_000}
"""Training images from which a larger network is worth its time."""
STEPS = 20
"""Steps that an epoch should have at least."""
PATCH = 4
"""Edge of a patch for which costs are known."""


class Scale(NamedTuple):
    """How much of what kind a training takes.

    Args:
        batches: that may be chosen on a GPU.
        least: batch for which an epoch may have fewer steps than it should.
        most_on_cpu: the largest batch there.
        seen: images that a training looks at, repeats counted.
    """

    batches: tuple[int, ...]
    least: int
    most_on_cpu: int
    seen: dict[str, int]


IMAGES = Scale((8, 16, 32, 64), 16, 32, {"gpu": 240_000, "cpu": 100_000})
"""What the Kvasir recipe takes in 100 and in 40 epochs."""
VOLUMES = Scale((2, 4, 8, 16, 32), 16, 8, {"gpu": 24_000, "cpu": 3_600})
"""On a CPU what the phantoms of chests take in 30 epochs; a GPU has more time."""


def decide_training(choices: Choices, profile: Profile, *, budget_hours: float | None, gpu_gib: float) -> None:
    """Decides on everything that a training is set by.

    Raises:
        ValueError: The memory of the GPU holds no training of the smallest network.
    """
    made = {decision.name: decision.value for decision in choices.made}
    size = sizes_of(made)
    scale = VOLUMES if profile.space else IMAGES
    images = max(1, profile.training)
    choices.settle("task", *_task(profile))
    variant = choices.settle("variant", *_variant(profile, size["gpu"], scale, gpu_gib))
    batch = choices.settle("batch_size", *_batch(images, variant["gpu"], size["gpu"], scale, gpu_gib))
    rate = {device: float(f"{RATES[variant[device]] * math.sqrt(batch[device] / 64):.2g}") for device in batch}
    choices.settle(
        "learning_rate", rate, "Good for this size of network at a batch of 64; it goes with the root of the batch."
    )
    choices.settle("epochs", *_epochs(profile, variant, size, scale, budget_hours))
    choices.settle(
        "warmup_epochs", 3, "The first steps of AdamW are uncertain; three epochs of warm-up, then a cosine to 0."
    )
    choices.settle(
        "weight_decay", 0.05, "The usual one for AdamW with networks of this kind; norms and biases have none."
    )
    drop = {device: DROP_PATH[name] for device, name in variant.items()}
    choices.settle("drop_path_rate", drop, "Blocks are left out at random in networks deep enough to spare them.")
    choices.settle("label_smoothing", *_smoothing(profile))
    choices.settle("seed", 0, "Any seed serves; the split depends on it too.")


def sizes_of(made: dict[str, Any]) -> dict[str, Any]:
    """Returns the size on each device as ``cost`` takes it: of volumes, that of as many patches of 4 voxels."""
    if "image_size" in made:
        return dict(made["image_size"])
    patch = {device: [edge] * 3 if isinstance(edge, int) else edge for device, edge in made["patch_size"].items()}
    return {
        device: tuple(edge * PATCH // own for edge, own in zip(edges, patch[device], strict=True))
        for device, edges in made["volume_size"].items()
    }


def _task(profile: Profile) -> tuple[str, str]:
    if profile.several_labels:
        return "multi-label", "An image may have several labels: one yes or no for each."
    return "multi-class", f"Each {profile.things.removesuffix('s')} has one label."


def _smoothing(profile: Profile) -> tuple[float, str]:
    if profile.several_labels:
        return 0.0, "The loss asks one question a label and smooths none."
    return 0.05, "Labels are never quite sure."


def _variant(profile: Profile, size: int | Sequence[int], scale: Scale, gpu_gib: float) -> tuple[dict[str, str], str]:
    images, few = max(1, profile.training), scale.batches[0] if profile.space else 16
    wanted = "base" if images >= MANY["base"] else "small" if images >= MANY["small"] else "tiny"
    if profile.space:
        wanted = "nano"
    able = [name for name in ORDER if training_gib(name, size, few) <= gpu_gib]
    if not able:
        edges = f"{size} px" if isinstance(size, int) else " x ".join(map(str, size)) + " voxels"
        cure = "--image-size" if isinstance(size, int) else "--volume-size"
        raise ValueError(
            f"--gpu-memory {gpu_gib:g}GB holds no training at {edges}, not even of nano with {few} {profile.things} "
            f"({training_gib('nano', size, few):.1f} GiB): name a smaller {cure}"
        )
    chosen = min(wanted, able[-1], key=ORDER.index)
    if profile.space:
        return {"gpu": chosen, "cpu": "nano"}, "No larger network has been compared on volumes here: begin with nano."
    why = f"{images} training images: larger networks need more ({MANY['small']} and more) to be worth their time."
    if chosen != wanted:
        why = f"{wanted} does not fit into {gpu_gib:g} GiB."
    return {"gpu": chosen, "cpu": "nano"}, f"{why} nano is made for CPUs."


def _batch(
    images: int, variant: str, size: int | Sequence[int], scale: Scale, gpu_gib: float
) -> tuple[dict[str, int], str]:
    fits = [batch for batch in scale.batches if training_gib(variant, size, batch) <= gpu_gib]
    often = [batch for batch in scale.batches if images / batch >= STEPS] or [scale.batches[0]]
    gpu = min(fits[-1] if fits else scale.batches[0], max(scale.least, often[-1]))
    takes = training_gib(variant, size, gpu)
    why = f"A step takes {takes:.1f} of {gpu_gib:g} GiB, and an epoch has {math.ceil(images / gpu)} steps."
    return {"gpu": gpu, "cpu": min(gpu, scale.most_on_cpu)}, why


def _epochs(
    profile: Profile, variant: dict[str, str], size: dict[str, Any], scale: Scale, budget_hours: float | None
) -> tuple[dict[str, int], str]:
    images, found, words = max(1, profile.training), {}, []
    for device in ("gpu", "cpu"):
        least, most = EPOCHS[device]
        epochs = min(most, max(least, 5 * round(scale.seen[device] / images / 5)))
        hours = training_hours(device, variant[device], size[device], images, epochs)
        if budget_hours is not None and hours > budget_hours:
            epochs = max(1, math.floor(epochs * budget_hours / hours))
            words.append(f"{device}: cut to fit into {budget_hours:g} h")
            hours = training_hours(device, variant[device], size[device], images, epochs)
        found[device] = epochs
        words.append(f"{device}: about {_time(hours)}")
    shown = (
        f"{scale.seen['gpu']} {profile.things} are looked at on a GPU and {scale.seen['cpu']} on a CPU, within bounds"
    )
    return found, f"{shown}; {', '.join(words)} (an H100, two CPU cores)."


def _time(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{max(1, round(60 * hours))} min"
