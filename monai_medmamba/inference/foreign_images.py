"""Whether a network's scores tell images of another kind from those it was trained for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data import Datalist
from ..files import atomic_path
from .classifier import picture_network
from .embed import embed_with
from .out_of_distribution import FeatureDistance, energy, foreign_threshold, separation
from .picture_paths import find_pictures

Array = npt.NDArray[np.float64]

ACCEPTED = 0.95  # of the validation images

__all__ = ["measure_foreign", "write_foreign"]


def measure_foreign(
    weights: str | os.PathLike[str],
    data: Datalist,
    foreign: Mapping[str, Sequence[str]],
    *,
    device: str = "auto",
    most: int = 2000,
) -> dict[str, Any]:
    """Returns how well distance and energy tell images of other kinds from the test images.

    The distance is :class:`FeatureDistance` to training images, the energy :func:`energy`. Each has a threshold that
    95 % of the validation images stay below. Nothing is chosen on test images or on foreign ones.

    Args:
        weights: ``model.pt`` or ``model.safetensors`` of a MedMamba for images, with one label each.
        data: what it was trained and is tested on.
        foreign: paths of other images, such as another modality's, by the name of their set.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"``.
        most: images of a split or a set, spread evenly over it, where it has more.

    Returns:
        ``familiar``, the test images; ``accepted``, that share of validation images; ``sets``, for each ``name``,
        ``images``, and for ``distance`` and ``energy`` what :func:`separation` returns.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: a picture cannot be read, or weights or data are no such ones.

    Example:
        >>> measure_foreign("missing.pt", Datalist(("a", "b"), [], [], [], "set"), {})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        FileNotFoundError: no weights at missing.pt: name the model.safetensors or model.pt that a training left...
    """
    network, _names, preprocessing, chosen = picture_network(weights, device, None)
    head = [tensor.detach().double().cpu().numpy() for tensor in (network.head.weight, network.head.bias)]
    if data.several_labels:
        raise ValueError("foreign images: expected data of one label an image, got several; leave --foreign_dir out")

    training = _spread(data.training, most)
    groups = [[str(item["image"]) for item in split] for split in (training, _spread(data.validation, most))]
    groups += [[str(item["image"]) for item in _spread(data.test, most)]]
    groups += [_spread(images, most) for images in foreign.values()]
    everything = [image for group in groups for image in group]
    found = embed_with(network, preprocessing, chosen, everything, progress=True)
    if found.failures:
        raise ValueError(f"{found.failures[0].image}: {found.failures[0].reason}")
    ends = np.cumsum([len(group) for group in groups])[:-1]
    known, validation, test, *others = np.split(np.asarray(found.features, dtype=np.float64), ends)
    distance = FeatureDistance.fit(known, np.array([item["label"] for item in training]))
    scores: dict[str, Callable[[Array], Array]] = {
        "distance": distance,
        "energy": lambda rows: energy(rows @ head[0].T + head[1]),
    }
    thresholds = {kind: foreign_threshold(score(validation), ACCEPTED) for kind, score in scores.items()}
    rows = [
        {
            "name": name,
            "images": len(features),
            **{kind: separation(score(test), score(features), thresholds[kind]) for kind, score in scores.items()},
        }
        for name, features in zip(foreign, others, strict=True)
    ]
    return {"familiar": len(test), "accepted": ACCEPTED, "sets": rows}


def write_foreign(
    weights: str | os.PathLike[str],
    data: Datalist,
    foreign_dir: str | os.PathLike[str],
    output_dir: str | os.PathLike[str],
    device: str = "auto",
) -> Path | None:
    """Writes what :func:`measure_foreign` returns to ``evaluation/foreign.json`` of a run, where its evidence takes it.

    Args:
        weights: as there.
        data: as there.
        foreign_dir: folder of the others; each folder in it is a set of its own. Empty to measure nothing, and to
            remove what an earlier evaluation measured.
        output_dir: the run's folder.
        device: as there.

    Returns:
        The file; None where nothing was measured.

    Raises:
        FileNotFoundError: as there.
        ValueError: as there, the folder holds no pictures, or the weights are several of an ensemble.

    Example:
        >>> write_foreign(["a.pt", "b.pt"], Datalist(("a", "b"), [], [], [], "set"), "other", "output")
        Traceback (most recent call last):
        ValueError: foreign images: expected one network, got an ensemble; leave --foreign_dir out
    """
    path = Path(output_dir) / "evaluation" / "foreign.json"
    if not os.fspath(foreign_dir):
        path.unlink(missing_ok=True)
        return None
    if not isinstance(weights, str | os.PathLike):
        raise ValueError("foreign images: expected one network, got an ensemble; leave --foreign_dir out")
    content = measure_foreign(weights, data, _sets(Path(foreign_dir)), device=device)
    with atomic_path(path) as draft:
        draft.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _sets(folder: Path) -> dict[str, list[str]]:
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of foreign images; name another with --foreign_dir")
    sets: dict[str, list[str]] = {}
    for image in find_pictures([folder])[0]:
        first, *rest = Path(image).relative_to(folder).parts
        sets.setdefault(first if rest else folder.name, []).append(image)
    if not sets:
        raise ValueError(f"{folder}: expected pictures, found none; name another folder with --foreign_dir")
    return sets


def _spread(items: Any, most: int) -> list[Any]:
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places]
