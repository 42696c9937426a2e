"""The network as TorchScript: a traced graph that libtorch runs without Python, and without this package."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..networks import MedMamba
from .file_format import FileFormat

__all__ = ["FORMAT"]


def _write(network: MedMamba, path: Path, sample: Tensor, dynamic_size: bool, texts: Mapping[str, str]) -> str:
    """Writes the file, with the texts as extra files; batch and image size are always free."""
    del dynamic_size
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of torch, that TorchScript is no longer developed
        traced = torch.jit.trace(network, sample, check_trace=False)  # the caller compares other batches
        torch.jit.save(traced, str(path), _extra_files=dict(texts))
    needs = "import monai_medmamba.ops before loading" if _calls_operator(traced) else "loads without this package"
    return f"any image size, {needs}"


def _calls_operator(traced: torch.jit.ScriptModule) -> bool:
    return "monai_medmamba::" in str(traced.inlined_graph)


def _load(path: Path) -> Callable[[Tensor], Tensor]:
    """Returns the file's network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(str(path))


# The chunked scan is written out in the graph; with another name the graph would call our operator.
FORMAT = FileFormat("torchscript", ".ts", _write, _load, backend="chunked")
