"""What a run was: its data, settings, versions, hardware and time."""

from __future__ import annotations

import datetime
import json
import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines import Workflow
from torch import nn

from ..files import atomic_path
from ..version import __version__

__all__ = ["RunRecord"]

_PACKAGES = ("monai", "torch", "pytorch-ignite", "numpy")


class RunRecord:
    """Writes ``run.json`` when training starts, and again with its duration when it ends.

    Args:
        output_dir: folder of the file.
        network: whose parameters are counted.
        dataset: what to call the data; a path is shortened to its last part.
        dataset_kind: ``"phantoms"`` or ``"folder"``.
        counts: images by split and class.
        settings: the run's plain settings, JSON-able.

    Example:
        >>> RunRecord("output", nn.Linear(2, 2), "set", "folder", {}, {}).content["parameters"]
        6
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        network: nn.Module,
        dataset: str,
        dataset_kind: str,
        counts: Mapping[str, Mapping[str, int]],
        settings: Mapping[str, Any],
    ) -> None:
        self.path = Path(output_dir) / "run.json"
        self._since = 0.0
        self.content: dict[str, Any] = {
            "dataset": Path(dataset).name,
            "dataset_kind": dataset_kind,
            "class_names": list(next(iter(counts.values()), {})),
            "counts": {split: dict(by_class) for split, by_class in counts.items()},
            "network": type(network).__name__,
            "variant": settings.get("variant"),
            "config": dict(settings),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "versions": {
                "python": platform.python_version(),
                "monai_medmamba": __version__,
                **{name: version(name) for name in _PACKAGES},
            },
            "device": None,
            "started": None,
            "seconds": None,
        }

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.COMPLETED, self._complete)

    def _start(self, engine: Workflow) -> None:
        self._since = time.perf_counter()
        self.content["device"] = _device_name(engine.state.device)
        self.content["started"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._write()

    def _complete(self, engine: Engine) -> None:
        del engine
        self.content["seconds"] = round(time.perf_counter() - self._since, 3)
        self._write()

    def _write(self) -> None:
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(self.content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads, {platform.machine()}"
