"""From a file of weights to an exported file that is known to compute the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..files import atomic_path
from ..inference import Preprocessing
from ..inference.classifier import read_weights
from ..networks import MedMamba
from .exported_program import smallest_free_edges
from .file_format import FileFormat
from .formats import FORMATS

__all__ = ["TOLERANCE", "ExportedFile", "export_weights"]

VOLUME = 3  # axes in space
TOLERANCE = 1e-4
"""What a probability, and a logit relative to the largest, may be off by before a file is refused."""

_PREFIX = "monai_medmamba."


@dataclass(frozen=True)
class ExportedFile:
    """An exported file, and what is known of it.

    Args:
        path: The file.
        format: The name of its format.
        bytes: Its size.
        input_shape: Of its images, with a name for each free axis.
        probability_off: The largest difference of a probability from the network's on random images; None where
            nothing that runs such a file is installed.
        remark: A few words about the file.

    Example:
        >>> ExportedFile(Path("a.onnx"), "onnx", 10, ("batch", 3, 64, 64), 1e-7, "2 nodes").format
        'onnx'
    """

    path: Path
    format: str
    bytes: int
    input_shape: tuple[int | str, ...]
    probability_off: float | None
    remark: str


def export_weights(
    weights: str | os.PathLike[str],
    out: str | os.PathLike[str],
    format: str = "onnx",  # noqa: A002 (the command line's word)
    *,
    size: Sequence[int] | None = None,
    dynamic_size: bool = False,
    backend: str | None = None,
) -> ExportedFile:
    """Writes trained weights as a file for other programs, atomically, and compares it with the network.

    The batch is free in every format. Normalisations are folded as by ``MedMamba.fuse``. Class names and preprocessing
    go into the file where the weights have them.

    Args:
        weights: ``model.safetensors``, ``model.pt`` or ``last.pt`` of a training, or what ``save_weights`` wrote.
        out: The file, with the suffix of its format.
        format: ``"onnx"``, ``"torchscript"``, ``"torch_export"`` or ``"aotinductor"``.
        size: Edges of the image in pixels, or one for all; None for the one that the weights were trained with.
        dynamic_size: Whether every size is taken; ``size`` is then the one that the file is made with.
        backend: Of the scans, for TorchScript: None or ``"chunked"`` writes them into the graph, another name has it
            call our operator. For the other formats None.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: There is no file of weights.
        ValueError: The weights cannot be read, or an argument does not fit them or the format.
        RuntimeError: What the file computes differs by more than 1e-4 in a probability, or in a logit relative to the
            largest; it is not kept.

    Example:
        >>> import tempfile
        >>> from ..networks import save_weights
        >>> folder = tempfile.mkdtemp()
        >>> network = MedMamba(num_classes=2, depths=(1,), dims=(8,))
        >>> save_weights(f"{folder}/w.safetensors", network, ["a", "b"], {})
        >>> export_weights(f"{folder}/w.safetensors", f"{folder}/w.ts", "torchscript", size=[32]).input_shape
        ('batch', 3, 'height', 'width')
    """
    kind = _find(format)
    out = Path(out)
    if out.suffix.lower() != kind.suffix:
        raise ValueError(f"{out}: expected a file ending in {kind.suffix} for format {kind.name}")
    if backend is not None and kind.name != "torchscript":
        raise ValueError(f"backend {backend}: only TorchScript offers a choice of scans; leave it out for {kind.name}")
    network, description = read_weights(weights)
    shape = _image_shape(weights, network, description, size)
    written = MedMamba(**network.settings, backend=backend or kind.backend)
    written.load_state_dict(network.state_dict())
    free = dynamic_size or kind.name == "torchscript"
    with atomic_path(out) as temporary:
        # Two positions an edge in the last map: a graph would take one for fixed.
        tried = (shape[0], *map(max, shape[1:], smallest_free_edges(network))) if free else shape
        remark = kind.write(written.fuse(), temporary, torch.randn(2, *tried), free, _texts(description))
        exported = kind.load(temporary)
        off = None if exported is None else _compare(out, exported, network, tried, free)
    axes = ("height", "width", "depth")[: len(shape) - 1] if free else shape[1:]
    return ExportedFile(out, kind.name, out.stat().st_size, ("batch", shape[0], *axes), off, remark)


def _find(name: str) -> FileFormat:
    for kind in FORMATS:
        if kind.name == name:
            return kind
    raise ValueError(f"expected format {', '.join(kind.name for kind in FORMATS)}, got {name!r}")


def _image_shape(
    weights: str | os.PathLike[str], network: MedMamba, description: dict[str, Any], size: Sequence[int] | None
) -> tuple[int, ...]:
    """Returns channels and edges of an image."""
    if size is None:
        preprocessing = description.get("preprocessing") or {}
        trained = preprocessing.get("volume_size" if network.spatial_dims == VOLUME else "image_size")
        if trained is None:
            example = "96 96 96" if network.spatial_dims == VOLUME else "224"
            raise ValueError(f"{os.fspath(weights)}: it does not say its size; name it, as in --size {example}")
        size = trained if isinstance(trained, list) else [trained]
    edges = tuple(size) * network.spatial_dims if len(size) == 1 else tuple(size)
    smallest = network.smallest_edges
    if len(edges) != len(smallest) or any(edge < least for edge, least in zip(edges, smallest, strict=True)):
        said = str(smallest[0]) if len(set(smallest)) == 1 else " x ".join(map(str, smallest))
        raise ValueError(f"expected a size of 1 or {len(smallest)} edges, each at least {said}, got {list(size)}")
    return (network.in_channels, *edges)


def _texts(description: dict[str, Any]) -> dict[str, str]:
    """Returns class names, preprocessing, kind of labels and calibration as the file keeps them, each a JSON text."""
    kept: dict[str, Any] = {}
    if description.get("class_names"):
        kept["class_names"] = list(description["class_names"])
    settings = description.get("preprocessing")
    if settings:
        volumes = description.get("network", {}).get("spatial_dims") == VOLUME
        kept["preprocessing"] = settings if volumes else Preprocessing.from_description(settings).describe()
    if description.get("several_labels"):
        kept["several_labels"] = True
    if description.get("calibration"):
        kept["calibration"] = dict(description["calibration"])
    return {_PREFIX + name: json.dumps(value) for name, value in kept.items()}


def _compare(
    out: Path, exported: Callable[[Tensor], Tensor], network: MedMamba, shape: tuple[int, ...], free: bool
) -> float:
    """Returns the largest difference of a probability on random images, in batches of 1 and 3 and, if free, sizes."""
    channels, *edges = shape
    other = [edge + 5 + place for place, edge in enumerate(edges)] if free else edges
    off, off_logits = [], []
    with torch.no_grad():
        for images in (torch.randn(1, *shape), torch.randn(3, channels, *other)):
            found, expected = exported(images), network(images)
            off.append((found.softmax(1) - expected.softmax(1)).abs().max().item())
            # Probabilities near 0 and 1 hide much.
            off_logits.append(((found - expected).abs().max() / expected.abs().max()).item())
    if not max(*off, *off_logits) <= TOLERANCE:
        raise RuntimeError(
            f"{out} was not written: it computes something else than PyTorch, with probabilities off by {max(off):.1e} "
            f"and logits by {max(off_logits):.1e} of the largest, where {TOLERANCE:.0e} is allowed; use another "
            "format, and tell the authors of this package"
        )
    return max(off)
