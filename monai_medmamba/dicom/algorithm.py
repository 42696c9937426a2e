"""Who a result is from: name and version of what computed it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from ..version import __version__

__all__ = ["Algorithm", "describe_algorithm"]


@dataclass(frozen=True)
class Algorithm:
    """What computed a result (PS3.16, TID 4019).

    Args:
        name: Algorithm Name (111001, DCM).
        version: Algorithm Version (111003, DCM).
        parameters: Algorithm Parameters (111002, DCM), such as a temperature.

    Raises:
        ValueError: Name or version is empty.

    Example:
        >>> Algorithm("MedMamba", "1.0").parameters
        ()
    """

    name: str
    version: str
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.version.strip():
            raise ValueError(f"expected a name and a version of the algorithm, got {self.name!r} and {self.version!r}")


def describe_algorithm(
    weights: str | os.PathLike[str],
    bundle: str | os.PathLike[str] | None = None,
    parameters: tuple[str, ...] = (),
) -> Algorithm:
    """Returns the algorithm that weights are: the version tells them from all others.

    Args:
        weights: Any file of weights; 16 digits of its SHA-256 become part of the version.
        bundle: Folder of a MONAI Bundle; name and version in its ``metadata.json`` come first.
        parameters: Of the algorithm.

    Returns:
        Name and version.

    Raises:
        FileNotFoundError: There are no such weights, or no such bundle.
        ValueError: The bundle's metadata have no name or version.

    Example:
        >>> describe_algorithm(__file__).name
        'MedMamba'
    """
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}: name the file that the predictions were made with")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    ours = f"monai_medmamba {__version__}, weights sha256 {digest}"
    if bundle is None:
        return Algorithm("MedMamba", ours, parameters)
    file = Path(bundle) / "configs" / "metadata.json"
    if not file.is_file():
        raise FileNotFoundError(f"no {file}: name the folder of a MONAI Bundle")
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
        return Algorithm(str(metadata["name"]), f"{metadata['version']}, {ours}", parameters)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: expected a JSON object with name and version, got something else") from error
