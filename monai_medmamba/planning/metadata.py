"""A bundle's ``metadata.json``."""

from __future__ import annotations

from typing import Any

from .plan import Plan
from .task import Task

__all__ = ["metadata"]

SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
VERSIONS = {"monai_version": "1.6.1", "pytorch_version": "2.13.0", "numpy_version": "2.4.6"}
PACKAGES = {
    "monai_medmamba": "0.1.0",
    "pytorch-ignite": "0.5.5",
    "tensorboard": "2.21.0",
    "safetensors": "0.8.0",
    "scikit-learn": "1.9.1",
    "matplotlib": "3.11.2",
}
VOLUME_PACKAGES = {"nibabel": "5.4.2", "pydicom": "3.0.2"}
KINDS = {
    "images": {
        "data_type": "png, jpg, bmp or tif; grey or colour",
        "image_classes": "three channels (red, green, blue) in [0, 1]",
    },
    "volumes": {
        "data_type": "NIfTI, DICOM series, multi-frame DICOM, MedMNIST3D npz; grey",
        "image_classes": "one channel, of which the range of intensities becomes [0, 1] and is normalised",
    },
}
PAPER = "Yue, Y., Li, Z.: MedMamba: Vision Mamba for Medical Image Classification. arXiv:2403.03849 (2024)"


def metadata(plan: Plan, task: Task) -> dict[str, Any]:
    """Returns the metadata of a bundle.

    Args:
        plan: its decisions.
        task: its words.

    Returns:
        The content of ``metadata.json``, of MONAI's schema.

    Example:
        >>> from .task import load_task
        >>> from .plan import make_plan
        >>> task, profile, flags = load_task("medmamba_endo")
        >>> metadata(make_plan(profile, flags), task)["network_data_format"]["outputs"]["pred"]["num_channels"]
        8
    """
    classes = plan.profile.classes
    several = plan.profile.several_labels
    one = "a volume" if plan.profile.space else "an image"
    return {
        "schema": SCHEMA,
        "version": task.version,
        "changelog": dict(task.changes or {task.version: "planned"}),
        **VERSIONS,
        "required_packages_version": {**PACKAGES, **(VOLUME_PACKAGES if plan.profile.space else {})},
        "supported_apps": {},
        "name": task.title,
        "task": f"{'Multi-label classification' if several else 'Classification'} of {task.summary}",
        "description": (
            f"MedMamba{' in three dimensions' if plan.profile.space else ''}, a network that joins convolutions and a "
            f"{'six' if plan.profile.space else 'four'}-direction selective scan, trained from scratch on "
            f"{task.summary}. The classes named here are those of the data set that it was planned for; another "
            "brings its own."
        ),
        "authors": "The monai_medmamba authors",
        "copyright": "Copyright 2026 The monai_medmamba authors",
        "data_source": task.source,
        **KINDS[plan.profile.things],
        "label_classes": "a 0 or 1 for each label" if several else f"one class number {one}",
        "pred_classes": "one probability a label, each for itself" if several else "one probability a class",
        "intended_use": (
            "Research and education. Not for diagnostic use: no weights are shipped, and nothing here has been "
            "validated on patients."
        ),
        "references": [PAPER, *task.references],
        "network_data_format": {
            "inputs": {"image": _input(plan)},
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": len(classes),
                    "spatial_shape": [1, len(classes)],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(place): name for place, name in enumerate(classes)},
                }
            },
        },
    }


def _input(plan: Plan) -> dict[str, Any]:
    """Returns what the network takes."""
    volumes = plan.profile.space is not None
    size = plan["volume_size" if volumes else "image_size"]["gpu"]
    hounsfield = volumes and plan.profile.modality == "computed tomography"
    return {
        "type": "image",
        "format": "hounsfield" if hounsfield else "magnitude" if volumes else "RGB",
        "modality": plan.profile.modality,
        "num_channels": plan["in_channels"],
        "spatial_shape": size if volumes else [size, size],
        "dtype": "float32",
        "value_range": value_range(plan["mean"], plan["std"]),
        "is_patch_data": False,
        "channel_def": {"0": "image"} if volumes else {"0": "red", "1": "green", "2": "blue"},
    }


def value_range(mean: list[float], std: list[float]) -> list[float]:
    """Returns the least and the greatest value that an image has after normalisation."""
    low = min(-m / s for m, s in zip(mean, std, strict=True))
    high = max((1 - m) / s for m, s in zip(mean, std, strict=True))
    return [round(low, 3), round(high, 3)]
