"""Rules on the training: size of the network, batch, time, learning rate and regularisation."""

from __future__ import annotations

import math

from .cost import training_gib, training_hours
from .decision import Choices
from .profile import Profile

ORDER = ("nano", "tiny", "small", "base")
RATES = {"nano": 2.8e-3, "tiny": 1e-3, "small": 7e-4, "base": 5e-4}
"""Learning rates at a batch of 64, for AdamW."""
DROP_PATH = {"nano": 0.0, "tiny": 0.1, "small": 0.2, "base": 0.3}
SEEN = {"gpu": 240_000, "cpu": 100_000}
"""Images that a training looks at, repeats counted: what the Kvasir recipe takes in 100 and in 40 epochs."""
EPOCHS = {"gpu": (30, 200), "cpu": (20, 100)}
MANY = {"small": 50_000, "base": 200_000}
"""Training images from which a larger network is worth its time."""
STEPS = 20
"""Steps that an epoch should have at least."""


def decide_training(choices: Choices, profile: Profile, *, budget_hours: float | None, gpu_gib: float) -> None:
    """Decides on everything that a training is set by.

    Raises:
        ValueError: The memory of the GPU holds no training of the smallest network.
    """
    made = {decision.name: decision.value for decision in choices.made}
    size = made["image_size"]
    images = max(1, profile.training)
    choices.settle("task", *_task(profile))
    variant = choices.settle("variant", *_variant(images, size["gpu"], gpu_gib))
    batch = choices.settle("batch_size", *_batch(images, variant["gpu"], size["gpu"], gpu_gib))
    rate = {device: float(f"{RATES[variant[device]] * math.sqrt(batch[device] / 64):.2g}") for device in batch}
    choices.settle(
        "learning_rate", rate, "Good for this size of network at a batch of 64; it goes with the root of the batch."
    )
    choices.settle("epochs", *_epochs(images, variant, size, budget_hours))
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


def _task(profile: Profile) -> tuple[str, str]:
    if profile.several_labels:
        return "multi-label", "An image may have several labels: one yes or no for each."
    return "multi-class", "Each image has one label."


def _smoothing(profile: Profile) -> tuple[float, str]:
    if profile.several_labels:
        return 0.0, "The loss asks one question a label and smooths none."
    return 0.05, "Labels are never quite sure."


def _variant(images: int, size: int, gpu_gib: float) -> tuple[dict[str, str], str]:
    wanted = "base" if images >= MANY["base"] else "small" if images >= MANY["small"] else "tiny"
    able = [name for name in ORDER if training_gib(name, size, 16) <= gpu_gib]
    if not able:
        raise ValueError(
            f"--gpu-memory {gpu_gib:g}GB holds no training at {size} px, not even of nano with 16 images "
            f"({training_gib('nano', size, 16):.1f} GiB): name a smaller --image-size"
        )
    chosen = min(wanted, able[-1], key=ORDER.index)
    why = f"{images} training images: larger networks need more ({MANY['small']} and more) to be worth their time."
    if chosen != wanted:
        why = f"{wanted} does not fit into {gpu_gib:g} GiB."
    return {"gpu": chosen, "cpu": "nano"}, f"{why} nano is made for CPUs."


def _batch(images: int, variant: str, size: int, gpu_gib: float) -> tuple[dict[str, int], str]:
    fits = [batch for batch in (8, 16, 32, 64) if training_gib(variant, size, batch) <= gpu_gib]
    often = [batch for batch in (8, 16, 32, 64) if images / batch >= STEPS] or [8]
    gpu = min(fits[-1] if fits else 8, max(16, often[-1]))
    takes = training_gib(variant, size, gpu)
    why = f"A step takes {takes:.1f} of {gpu_gib:g} GiB"
    why += f", and an epoch has {math.ceil(images / gpu)} steps."
    return {"gpu": gpu, "cpu": min(gpu, 32)}, why


def _epochs(
    images: int, variant: dict[str, str], size: dict[str, int], budget_hours: float | None
) -> tuple[dict[str, int], str]:
    found, words = {}, []
    for device in ("gpu", "cpu"):
        least, most = EPOCHS[device]
        epochs = min(most, max(least, 5 * round(SEEN[device] / images / 5)))
        hours = training_hours(device, variant[device], size[device], images, epochs)
        if budget_hours is not None and hours > budget_hours:
            epochs = max(1, math.floor(epochs * budget_hours / hours))
            words.append(f"{device}: cut to fit into {budget_hours:g} h")
            hours = training_hours(device, variant[device], size[device], images, epochs)
        found[device] = epochs
        words.append(f"{device}: about {_time(hours)}")
    shown = f"{SEEN['gpu']} images are looked at on a GPU and {SEEN['cpu']} on a CPU, within bounds"
    return found, f"{shown}; {', '.join(words)} (an H100, two CPU cores)."


def _time(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{max(1, round(60 * hours))} min"
