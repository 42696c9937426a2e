"""What a checkpoint says of itself, for the configs that use it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..handlers import read_checkpoint

__all__ = ["describe_trained", "find_fold_checkpoints"]

SHARED = ("variant", "network", "class_names", "several_labels", "preprocessing", "seed")


def describe_trained(
    checkpoint: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], untrained: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Returns the description that a checkpoint carries: variant, class names, preprocessing, epoch and metrics.

    Args:
        checkpoint: the file; several of an ensemble, which must agree.
        untrained: what to return if there is no file, so that a network can be built and exported without weights;
            None to raise instead.

    Returns:
        The description, a dict; of several what they share, without the temperature that each has for itself.

    Raises:
        FileNotFoundError: there is no file, and no ``untrained``.
        ValueError: the file is damaged, or several do not agree in classes, preprocessing, network or seed.

    Example:
        >>> describe_trained("missing.pt", untrained={"variant": "nano"})
        {'variant': 'nano'}
    """
    if not isinstance(checkpoint, str | os.PathLike):
        return _what_all_share(list(checkpoint))
    if untrained is not None and not Path(checkpoint).is_file():
        return dict(untrained)
    description: dict[str, Any] = read_checkpoint(checkpoint)["description"]
    return description


def find_fold_checkpoints(ckpt_dir: str | os.PathLike[str]) -> list[str]:
    """Returns the best checkpoint of each fold that was trained into ``fold0``, ``fold1`` and so on of a folder.

    Args:
        ckpt_dir: the folder.

    Returns:
        ``fold0/model.pt`` and so on, in the order of the folds.

    Raises:
        FileNotFoundError: there is none, or one is missing between others.

    Example:
        >>> find_fold_checkpoints("no such folder")
        Traceback (most recent call last):
        FileNotFoundError: no such folder/fold0/model.pt is missing: train every fold first, as `medmamba cv` does
    """
    folder = Path(ckpt_dir)
    count = 1 + max((int(path.name[4:]) for path in folder.glob("fold*") if path.name[4:].isdigit()), default=0)
    paths = [folder / f"fold{k}" / "model.pt" for k in range(count)]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"{missing[0]} is missing: train every fold first, as `medmamba cv` does")
    return [os.fspath(path) for path in paths]


def _what_all_share(paths: list[str | os.PathLike[str]]) -> dict[str, Any]:
    if not paths:
        raise ValueError("expected a checkpoint or more for an ensemble, got none")
    found = [{name: part[name] for name in SHARED if name in part} for part in map(describe_trained, paths)]
    for path, other in zip(paths, found, strict=True):
        differ = [name for name in SHARED if other.get(name) != found[0].get(name)]
        if differ:
            raise ValueError(
                f"{os.fspath(path)}: expected the {' and the '.join(differ)} of {os.fspath(paths[0])}, got "
                f"{other.get(differ[0])} and not {found[0].get(differ[0])}; checkpoints that agree make an ensemble"
            )
    return found[0]
