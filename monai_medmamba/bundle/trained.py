"""What a checkpoint says of itself, for the configs that use it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..handlers import read_checkpoint

__all__ = ["describe_trained"]


def describe_trained(checkpoint: str | os.PathLike[str], untrained: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the description that a checkpoint carries: variant, class names, preprocessing, epoch and metrics.

    Args:
        checkpoint: the file.
        untrained: what to return if there is no file, so that a network can be built and exported without weights;
            None to raise instead.

    Returns:
        The description, a dict.

    Raises:
        FileNotFoundError: there is no file, and no ``untrained``.
        ValueError: the file is damaged.

    Example:
        >>> describe_trained("missing.pt", untrained={"variant": "nano"})
        {'variant': 'nano'}
    """
    if untrained is not None and not Path(checkpoint).is_file():
        return dict(untrained)
    return read_checkpoint(checkpoint)["description"]
