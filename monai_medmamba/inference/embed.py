"""Frozen features of pictures and volumes: what a trained network sees in them, as vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..files import atomic_path
from ..networks import MedMamba, PooledFeatures
from .classifier import network_on_device
from .picture_paths import Failure
from .predict import in_batches
from .preprocessing import Preprocessing
from .volume_preprocessing import VolumePreprocessing

__all__ = ["Embedding", "embed", "write_embedding"]


@dataclass(frozen=True, eq=False)
class Embedding:
    """The features of pictures.

    Args:
        images: The paths of those that could be read, in the order of the list.
        features: One vector a picture, (n, F), float32.
        failures: The others.

    Example:
        >>> Embedding(["data/polyp/1.png"], np.zeros((1, 4), np.float32), []).folders
        ['polyp']
    """

    images: list[str]
    features: NDArray[np.float32]
    failures: list[Failure]

    @property
    def folders(self) -> list[str]:
        """The name of the folder that each picture lies in: its class, where folders are classes."""
        return [Path(os.path.abspath(image)).parent.name for image in self.images]


def embed(
    weights: str | os.PathLike[str],
    images: Sequence[str],
    *,
    device: str = "auto",
    backend: str | None = None,
    batch_size: int = 16,
    readers: int = 1,
    window: tuple[float, float] | None = None,
    progress: bool = False,
) -> Embedding:
    """Returns the mean of the network's last map for every picture, or every volume, that can be read.

    Args:
        weights: ``model.safetensors``, ``model.pt`` or ``last.pt`` of a training, or what ``save_weights`` wrote.
        images: Paths of pictures, or of volumes where the weights are for these.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where there is one.
        backend: Of the scans; None leaves the choice to the environment variable and then to ``"auto"``.
        batch_size: Pictures that go through the network together, at least 1.
        readers: Threads that read pictures ahead of the network, at least 1.
        window: Centre and width for grey DICOM files, in place of what they carry.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        The features, and the reasons of the pictures that could not be read.

    Raises:
        FileNotFoundError: There is no such file of weights.
        ValueError: The file is damaged, was not written by this package, lacks preprocessing, or is for other images
            than RGB pictures and volumes of one channel; there is no such device; or a number is less than 1.

    Example:
        >>> import tempfile
        >>> from ..networks import medmamba_nano, save_weights
        >>> path = f"{tempfile.mkdtemp()}/w.safetensors"
        >>> kept = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
        >>> save_weights(path, medmamba_nano(num_classes=2), ["a", "b"], kept)
        >>> embed(path, ["missing.png"], device="cpu").features.shape
        (0, 256)
    """
    loaded = network_on_device(weights, device, backend)
    options = {"batch_size": batch_size, "readers": readers}
    return embed_with(
        loaded.network, loaded.preprocessing, loaded.device, images, **options, window=window, progress=progress
    )


def embed_with(
    network: MedMamba,
    preprocessing: Preprocessing | VolumePreprocessing,
    device: torch.device,
    images: Sequence[str],
    *,
    batch_size: int = 16,
    readers: int = 1,
    window: tuple[float, float] | None = None,
    progress: bool = False,
) -> Embedding:
    """Returns what ``embed`` does, of a network that is on its device already."""
    features = PooledFeatures(network)

    def vectors(batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return features(batch.to(device)).float().cpu()

    options = {"batch_size": batch_size, "readers": readers}
    names, table, failures = in_batches(
        preprocessing, images, vectors, features.num_features, **options, window=window, progress=progress
    )
    return Embedding(names, table.numpy(), failures)


def write_embedding(path: str | os.PathLike[str], embedding: Embedding) -> None:
    """Writes ``images``, ``folders`` and ``features`` as arrays of an ``.npz`` file, which appears whole or not at all.

    Args:
        path: The file, ending in ``.npz``; missing folders are made.
        embedding: What ``embed`` returned.

    Raises:
        ValueError: The file ends in something else.
        OSError: It cannot be written.

    Example:
        >>> import tempfile
        >>> path = f"{tempfile.mkdtemp()}/features.npz"
        >>> write_embedding(path, Embedding(["a/1.png"], np.zeros((1, 4), np.float32), []))
        >>> np.load(path)["folders"].tolist()
        ['a']
    """
    target = Path(path)
    if target.suffix.lower() != ".npz":
        raise ValueError(f"expected a file of features that ends in .npz, got {target}")
    images, folders = (np.array(names, dtype=str) for names in (embedding.images, embedding.folders))
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as draft, open(draft, "wb") as file:
        np.savez_compressed(file, images=images, folders=folders, features=embedding.features)
