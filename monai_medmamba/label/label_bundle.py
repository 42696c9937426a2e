"""Bundles that can be served: found by name or path, and what they say of their classes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .request_error import RequestError

__all__ = ["LabelBundle", "find_bundle"]

_METADATA = Path("configs") / "metadata.json"
_PLANAR = 2


@dataclass(frozen=True)
class LabelBundle:
    """A classification bundle.

    Args:
        name: What clients call the model: the name of the bundle's folder.
        root: The bundle's folder.
        class_names: As its metadata has them; weights may bring others.
        description: One line.
        several_labels: Whether an image may have several labels; weights may say otherwise.

    Example:
        >>> LabelBundle("untrained", Path("bundles/untrained"), ("a", "b"), "").weights() is None
        True
    """

    name: str
    root: Path
    class_names: tuple[str, ...]
    description: str
    several_labels: bool = False

    @property
    def training_config(self) -> Path:
        """Its ``train.json``."""
        return self.root / "configs" / "train.json"

    def weights(self) -> Path | None:
        """Returns the weights in its ``models`` folder; None where there are none."""
        files = (self.root / "models" / name for name in ("model.safetensors", "model.pt"))
        return next((path for path in files if path.is_file()), None)


def find_bundle(word: str, folders: Sequence[str | os.PathLike[str]] = ()) -> LabelBundle:
    """Returns the bundle of a name or path.

    Args:
        word: A path to a bundle's folder, or its name in one of ``folders``.
        folders: Where to look for a name, first come first; ``bundles`` in the working folder and beside the package,
            in a checkout of the repository, are looked at last.

    Returns:
        The bundle.

    Raises:
        RequestError: There is none, it lacks its metadata or class names, or it is no bundle for pictures.

    Example:
        >>> find_bundle("no_such_bundle")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.label.request_error.RequestError: expected a bundle ... got 'no_such_bundle'...
    """
    places = [Path(folder) for folder in (*folders, "bundles", Path(__file__).parents[2] / "bundles")]
    candidates = [Path(os.path.expanduser(word))] if os.sep in word else [place / word for place in places]
    root = next((path.resolve() for path in candidates if (path / _METADATA).is_file()), None)
    if root is None:
        known = sorted({path.parent.parent.name for place in places for path in place.glob(f"*/{_METADATA}")})
        raise RequestError(
            404,
            f"expected a bundle with {_METADATA.as_posix()}, by its path or one of the names "
            f"{', '.join(known) or '(none found)'}; got {word!r}, looked at {', '.join(map(str, candidates))}",
        )
    try:
        metadata = json.loads((root / _METADATA).read_text(encoding="utf-8"))
        image = metadata["network_data_format"]["inputs"]["image"]
        channels = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
        names = tuple(str(channels[key]) for key in sorted(channels, key=int))
        dimensions = len(image["spatial_shape"])
        untrained = json.loads((root / "configs" / "inference.json").read_text(encoding="utf-8")).get("untrained", {})
        several = untrained.get("several_labels") is True
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            422,
            f"{root / _METADATA}: expected network_data_format with inputs.image.spatial_shape and "
            f"outputs.pred.channel_def, and inference.json beside it; got {type(error).__name__}: {error}",
        ) from error
    if dimensions != _PLANAR or not (root / "configs" / "train.json").is_file():
        raise RequestError(
            422, f"{root}: expected a bundle that classifies pictures, with configs/train.json; this one does not"
        )
    description = str(metadata.get("description") or metadata.get("name") or root.name)
    return LabelBundle(root.name, root, names, description, several)
