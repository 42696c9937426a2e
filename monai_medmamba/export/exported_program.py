"""The network as an ExportedProgram of ``torch.export``, whose scans are calls of our operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..networks import MedMamba
from .file_format import FileFormat

__all__ = ["FORMAT", "capture", "remark", "smallest_free_edges"]


def capture(network: MedMamba, sample: Tensor, dynamic_size: bool) -> torch.export.ExportedProgram:
    """Returns the program of a network, for any batch and, if asked for, any image size.

    Args:
        network: In eval mode.
        sample: A batch of two images; what is free must not be 1, or it would be taken for fixed.
        dynamic_size: Whether the image size stays free.

    Returns:
        The program; its scans are calls of ``monai_medmamba::cross_selective_scan``.

    Example:
        >>> network = MedMamba(num_classes=2, depths=(1,), dims=(8,)).eval()
        >>> program = capture(network, torch.zeros(2, 3, 32, 32), dynamic_size=False)
        >>> program.module()(torch.zeros(3, 3, 32, 32)).shape
        torch.Size([3, 2])
    """
    free = range(sample.dim()) if dynamic_size else range(1)
    shape = {axis: torch.export.Dim.DYNAMIC for axis in free if axis != 1}
    with torch.no_grad():
        return torch.export.export(network, (sample,), dynamic_shapes=(shape,))


def smallest_free_edges(network: MedMamba) -> tuple[int, ...]:
    """Returns the smallest edges, in pixels, of the images that a program with a free size takes.

    A program whose last map had a single position along an edge would differ from all others in memory layout.

    Args:
        network: Its strides decide.

    Returns:
        Two positions of the last map, in pixels, along each axis: 64 for four stages.

    Example:
        >>> smallest_free_edges(MedMamba(num_classes=2, depths=(1, 1), dims=(8, 16)))
        (16, 16)
    """
    return tuple(2 * stride for stride in network.feature_strides[-1])


def _write(network: MedMamba, path: Path, sample: Tensor, dynamic_size: bool, texts: Mapping[str, str]) -> str:
    """Writes the file, with the texts as extra files."""
    torch.export.save(capture(network, sample, dynamic_size), path, extra_files=dict(texts))
    return remark(network, dynamic_size)


def remark(network: MedMamba, dynamic_size: bool) -> str:
    """Returns what the user of a program must know."""
    edges = smallest_free_edges(network)
    said = str(edges[0]) if len(set(edges)) == 1 else " x ".join(map(str, edges))
    sizes = f"edges of {said} pixels or more, " if dynamic_size else ""
    return f"{sizes}import monai_medmamba.ops before loading"


def _load(path: Path) -> Callable[[Tensor], Tensor]:
    """Returns the file's network."""
    return torch.export.load(path).module()


FORMAT = FileFormat("torch_export", ".pt2", _write, _load)
