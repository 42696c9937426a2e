"""What a kind of file is: the record that describes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..networks import MedMamba

__all__ = ["FileFormat"]


@dataclass(frozen=True)
class FileFormat:
    """One kind of file that a network can become.

    Args:
        name: What a user writes to ask for it.
        suffix: Of the file, with its dot.
        write: Takes a network made by ``MedMamba.fuse``, the path, a batch of two images, whether the image size stays
            free, and texts to keep in the file by their keys; returns a few words about what it wrote.
        load: Takes the path to a function from images (n, C, *space) to logits (n, classes), on the CPU; None where
            what runs such a file is not installed.
        backend: Of the scans in the network that is written.

    Example:
        >>> nothing = FileFormat("nothing", ".txt", lambda *_: "empty", lambda path: None)
        >>> nothing.load("x.txt") is None
        True
    """

    name: str
    suffix: str
    write: Callable[[MedMamba, Path, Tensor, bool, Mapping[str, str]], str]
    load: Callable[[Path], Callable[[Tensor], Tensor] | None]
    backend: str = "auto"
