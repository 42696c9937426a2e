"""A training on labelled images: a bundle's own ``train.json``, begun from the weights in use.

It runs in a process of its own (``python -m monai_medmamba.label.fine_tuning FOLDER``), which needs no MONAI Label.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..data import Datalist
from ..discretion import discreet
from ..files import atomic_path
from ..inference.classifier import read_weights
from ..networks import MedMamba

__all__ = ["start_network", "tolerant_weights", "write_training"]

DATALIST, OVERRIDES, START = "datalist.json", "overrides.json", "start"


def write_training(
    folder: Path,
    config: Path,
    data: Datalist,
    start: Path | None,
    settings: Mapping[str, Any],
) -> None:
    """Writes what the process needs into its folder.

    Args:
        folder: Of the training; is made.
        config: The bundle's ``train.json``.
        data: Training and validation images.
        start: Weights to begin from; None for a fresh network.
        settings: Ids of the config and their values.
    """
    folder.mkdir(parents=True)
    data.save(folder / DATALIST)
    overrides: dict[str, Any] = {
        "+imports": ["$import monai_medmamba.label.fine_tuning"],
        "data": f"$monai_medmamba.data.Datalist.load('{DATALIST}')",
        "several_labels": data.several_labels,
        "dataset_dir": "labelled images",
        "ckpt_dir": "models",
        "output_dir": "output",
        "class_weights": "$monai_medmamba.label.fine_tuning.tolerant_weights(@data, @class_weight_power).to(@device)",
        # AUC has no value while a class has no validation image.
        "validate#key_metric": {
            "val_accuracy": {
                "_target_": "monai_medmamba.handlers.ClassificationFigure",
                "figure": "accuracy",
                "class_names": "@class_names",
            }
        },
        "validate#additional_metrics": {
            "val_loss": {
                "_target_": "monai_medmamba.handlers.ClassificationFigure",
                "figure": "loss",
                "class_names": "@class_names",
            }
        },
        **_without_tensorboard(config),
        **settings,
    }
    if start is not None:
        network, description = read_weights(start)
        preprocessing = description["preprocessing"]
        overrides |= {name: preprocessing[name] for name in ("image_size", "mean", "std")}
        overrides["network_def"] = f"$monai_medmamba.label.fine_tuning.start_network('{START}{start.suffix}')"
        overrides["variant"] = str(description.get("variant", "given"))
        with atomic_path(folder / f"{START}{start.suffix}") as temporary:
            temporary.write_bytes(start.read_bytes())
        del network
    with atomic_path(folder / OVERRIDES) as temporary:
        content = {"train": os.fspath(config.resolve()), "overrides": overrides}
        temporary.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")


def _without_tensorboard(config: Path) -> dict[str, Any]:
    """Returns what turns off handlers that draw for nobody and take longer than an epoch on few images."""
    content = json.loads(config.read_text(encoding="utf-8"))
    return {
        f"{part}#handlers#{number}#_disabled_": True
        for part in ("train", "validate")
        for number, handler in enumerate(content[part]["handlers"])
        if "TensorBoard" in handler["_target_"]
    }


def start_network(weights: str | os.PathLike[str]) -> MedMamba:
    """Returns the network of weights, ready to be trained on."""
    return read_weights(weights)[0].train().requires_grad_()


def tolerant_weights(data: Datalist, power: float) -> torch.Tensor:
    """Returns the weights of the classes, or of positives, as ``Datalist`` has them, counting each class at least once.

    A reader may not have met every class yet.

    Args:
        data: The images.
        power: What the inverse frequencies are raised to.

    Returns:
        Tensor (C,), float32, positive.

    Example:
        >>> items = [{"image": "/s/1.png", "label": 0}] * 4
        >>> tolerant_weights(Datalist(("a", "b"), items, [], [], "/s"), 1.0).tolist()
        [0.4000000059604645, 1.600000023841858]
    """
    counts = torch.tensor(list(data.counts()["training"].values()), dtype=torch.float64).clamp_min(1)
    if data.several_labels:
        return (((len(data.training) - counts).clamp_min(1) / counts) ** power).float()
    weights = counts**-power
    return (weights / weights.mean()).float()


def _run(folder: Path) -> None:
    from monai.bundle import run

    os.chdir(folder)
    content = json.loads(Path(OVERRIDES).read_text(encoding="utf-8"))
    config = Path("overlay.json")
    config.write_text(json.dumps(content["overrides"]), encoding="utf-8")
    with discreet():
        run(run_id="training", config_file=[content["train"], os.fspath(config)])


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
