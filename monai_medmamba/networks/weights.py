"""Our weights as safetensors: tensors and what is needed to use them, in a file that cannot run code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..files import atomic_path
from .medmamba import MedMamba

__all__ = ["load_weights", "save_weights"]

_FORMAT = "monai_medmamba/1"


def save_weights(
    path: str | os.PathLike[str],
    network: MedMamba,
    class_names: Sequence[str],
    preprocessing: Mapping[str, Any],
    calibration: Mapping[str, Any] | None = None,
    several_labels: bool = False,
) -> None:
    """Writes a network's weights, shape, classes, preprocessing and calibration, atomically.

    Args:
        path: the ``.safetensors`` file.
        network: the network.
        class_names: the name of each logit, in order; their number is the network's ``num_classes``.
        preprocessing: what an image must go through, JSON-able, such as ``image_size``, ``mean`` and ``std``.
        calibration: what turns logits into honest probabilities, JSON-able: ``temperature``, by which the logits are
            divided, and where it comes from; None where none was fitted.
        several_labels: whether each logit is a question of its own (sigmoid), not one of all (softmax).

    Raises:
        ValueError: the number of names is not the number of classes.

    Example:
        >>> import tempfile
        >>> from .sizes import medmamba_nano
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(f"{folder}/w.safetensors", medmamba_nano(num_classes=2), ["a", "b"], {"image_size": 64})
        ...     load_weights(f"{folder}/w.safetensors")[1]["class_names"]
        ['a', 'b']
    """
    if len(class_names) != network.num_classes:
        raise ValueError(f"expected {network.num_classes} class names, got {len(class_names)}: {list(class_names)}")
    description: dict[str, Any] = {
        "network": network.settings,
        "class_names": list(class_names),
        "preprocessing": dict(preprocessing),
    }
    if several_labels:
        description["several_labels"] = True
    if calibration is not None:
        description["calibration"] = dict(calibration)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"format": _FORMAT, "description": json.dumps(description)})


def load_weights(path: str | os.PathLike[str], backend: str | None = None) -> tuple[MedMamba, dict[str, Any]]:
    """Returns the network of a file that :func:`save_weights` wrote, and its description.

    Args:
        path: the ``.safetensors`` file.
        backend: of the scans.

    Returns:
        The network in eval mode, and a dict with ``network``, ``class_names``, ``preprocessing`` and, where
        one was fitted, ``calibration``; ``several_labels``, true, where an image may have several.

    Raises:
        ValueError: the file is damaged, was not written by :func:`save_weights`, or does not fit its own description.

    Example:
        >>> import tempfile
        >>> from .sizes import medmamba_nano
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(f"{folder}/w.safetensors", medmamba_nano(num_classes=2), ["a", "b"], {})
        ...     load_weights(f"{folder}/w.safetensors")[0].num_classes
        2
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ValueError(f"{os.fspath(path)}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(
            f"{os.fspath(path)}: expected weights written by this package (format {_FORMAT}), "
            f"got format {metadata.get('format')!r}; weights of the published code go through `medmamba convert`"
        )
    description = json.loads(metadata["description"])
    network = MedMamba(**description["network"], backend=backend)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error
    return network.eval(), description
