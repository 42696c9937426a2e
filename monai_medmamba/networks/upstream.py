"""Weights of the published code: their names and shapes, both ways."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .medmamba import MedMamba

__all__ = ["from_published", "load_published", "published_sizes", "to_published"]

# Published fragment -> ours. Applied in order, on whole name parts.
_NAMES = (
    ("patch_embed", "stem"),
    ("layers", "stages"),
    ("ln_1", "norm"),
    ("self_attention", "ssm"),
    ("conv33conv33conv11", "conv_branch"),
    ("conv2d", "conv"),
    ("dt_projs_weight", "dt_weight"),
    ("dt_projs_bias", "dt_bias"),
    ("A_logs", "A_log"),
    ("Ds", "D"),
)
_OURS = dict(_NAMES)
_PUBLISHED = {ours: published for published, ours in _NAMES}
_DIRECTIONS = 4
_BLOCK = re.compile(r"layers\.(\d+)\.blocks\.(\d+)\.")


def from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns a published state dict under our names and shapes.

    Args:
        state: names and tensors as the published code saves them.

    Returns:
        A state dict for :class:`MedMamba`; tensors are views where a shape changes.

    Example:
        >>> list(from_published({"layers.0.blocks.1.self_attention.Ds": torch.ones(8)}))
        ['stages.0.blocks.1.ssm.D']
    """
    renamed = {".".join(_OURS.get(part, part) for part in name.split(".")): tensor for name, tensor in state.items()}
    return {
        name: tensor.unflatten(0, (_DIRECTIONS, -1)) if name.endswith((".ssm.A_log", ".ssm.D")) else tensor
        for name, tensor in renamed.items()
    }


def to_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns our state dict under the published names and shapes, the inverse of :func:`from_published`.

    Args:
        state: the state dict of a 2-D :class:`MedMamba`.

    Returns:
        Names and tensors as the published code loads them.

    Example:
        >>> to_published({"stages.0.blocks.1.ssm.D": torch.ones(4, 2)})["layers.0.blocks.1.self_attention.Ds"].shape
        torch.Size([8])
    """
    published = {}
    for name, tensor in state.items():
        parts = name.split(".")
        # `norm` is ours for ln_1 in a block alone; the stem's and the downsampling's norm keep their name.
        keeps_norm = parts[0] == "stem" or "downsample" in parts
        renamed = [part if part == "norm" and keeps_norm else _PUBLISHED.get(part, part) for part in parts]
        flat = tensor.flatten(0, 1) if name.endswith((".ssm.A_log", ".ssm.D")) else tensor
        published[".".join(renamed)] = flat
    return published


def published_sizes(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Returns the arguments of the :class:`MedMamba` that a published state dict belongs to, read from its keys.

    Args:
        state: names and tensors as the published code saves them.

    Returns:
        ``in_channels, num_classes, depths, dims, d_state``.

    Raises:
        ValueError: a key that every published state dict has is missing.

    Example:
        >>> from .sizes import medmamba_nano
        >>> published_sizes(to_published(medmamba_nano(num_classes=6).state_dict()))["depths"]
        (2, 2, 4, 2)
    """
    needed = ("patch_embed.proj.weight", "head.weight", "layers.0.blocks.0.self_attention.A_logs")
    missing = [key for key in needed if key not in state]
    if missing:
        raise ValueError(
            f"not a state dict of the published MedMamba: missing {', '.join(missing)}; "
            f"found {len(state)} keys such as {', '.join(list(state)[:3]) or 'none'}"
        )
    blocks = {(int(m[1]), int(m[2])) for m in map(_BLOCK.match, state) if m}
    stages = 1 + max(stage for stage, _ in blocks)
    return {
        "in_channels": state["patch_embed.proj.weight"].shape[1],
        "num_classes": state["head.weight"].shape[0],
        "depths": tuple(sum(stage == i for stage, _ in blocks) for i in range(stages)),
        "dims": tuple(2 * state[f"layers.{i}.blocks.0.ln_1.weight"].shape[0] for i in range(stages)),
        "d_state": state["layers.0.blocks.0.self_attention.A_logs"].shape[1],
    }


def load_published(path: str | os.PathLike[str], backend: str | None = None) -> MedMamba:
    """Returns a network with the weights of a file that the published code saved.

    Args:
        path: a ``.pth`` file with a state dict, bare or under the key ``model`` or ``state_dict``.
        backend: of the scans.

    Returns:
        The network, its shape read from the file's keys, in eval mode.

    Raises:
        ValueError: the file is not such a state dict, or its keys or shapes differ from the network's.
        pickle.UnpicklingError: the file holds anything but tensors and plain containers; it is not executed.

    Example:
        >>> import tempfile
        >>> from .sizes import medmamba_nano
        >>> with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        ...     torch.save(to_published(medmamba_nano(num_classes=6).state_dict()), file.name)
        ...     load_published(file.name).num_classes
        6
    """
    content = torch.load(path, map_location="cpu", weights_only=True)
    state = next((content[key] for key in ("model", "state_dict") if key in content), content)
    try:
        network = MedMamba(**published_sizes(state), backend=backend)
        network.load_state_dict(from_published(state))
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error
    return network.eval()
