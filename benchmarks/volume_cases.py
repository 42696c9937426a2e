"""What ``volumes.py`` measures: sizes, and the list of cases."""

import math
from dataclasses import dataclass

from cases import PRECISIONS

OURS = ("medmamba_nano", "medmamba_tiny")
PEERS = ("resnet18", "densenet121")
STEM = "resnet18 (stem of MONAI)"  # eight times the work, so once is enough
Space = tuple[int, int, int]


@dataclass(frozen=True)
class Scale:
    """How large the work is."""

    spaces: tuple[Space, ...]
    batch: int
    scaling: tuple[tuple[Space, int], ...]  # a volume and its batch
    repeats: int | None = None  # None: as many as time allows

    @staticmethod
    def of(device: str) -> "Scale":
        """Return the scale of a measurement; on a GPU, volumes grow at equal voxels, so that it is always busy."""
        spaces = ((96, 96, 96), (64, 128, 128))
        edges = (64, 128) if device == "cpu" else (64, 128, 192)
        batches = (1, 1) if device == "cpu" else (27, 4, 1)
        cubes = tuple(((edge,) * 3, batch) for edge, batch in zip(edges, batches, strict=True))
        return Scale(spaces, 1 if device == "cpu" else 8, cubes, 5 if device == "cpu" else None)

    @staticmethod
    def quick() -> "Scale":
        """Return sizes for trying everything out where nothing can be measured."""
        return Scale(((32, 32, 32), (32, 48, 48)), 2, (((32,) * 3, 2), ((32, 32, 64), 1)), 1)


@dataclass(frozen=True)
class Case:
    """A network, how it runs, and on what."""

    kind: str  # forward or training step
    network: str
    space: Space
    batch: int
    precision: str
    mode: str  # eager, graph, fused, fused+graph, checkpoint, checkpoint+graph
    layout: str  # of weights and maps: contiguous or channels_last; ours are channels last by themselves

    @property
    def voxels(self) -> int:
        """Of a batch."""
        return self.batch * math.prod(self.space)

    def fields(self) -> dict:
        """Return what a row says of its case."""
        named = {"what": self.kind, "network": self.network, "space": list(self.space), "batch": self.batch}
        return {**named, **PRECISIONS[self.precision].fields, "mode": self.mode, "layout": self.layout}


def forward_cases(scale: Scale, device: str) -> list[Case]:
    """Return the cases of the section ``forward``."""
    ours = ("eager", "fused") if device == "cpu" else ("eager", "graph", "fused+graph")
    return _cases("forward", scale, device, ours)


def training_cases(scale: Scale, device: str) -> list[Case]:
    """Return the cases of the section ``training``."""
    ours = ("eager",) if device == "cpu" else ("eager", "graph", "checkpoint", "checkpoint+graph")
    return _cases("training step", scale, device, ours)


def scaling_cases(scale: Scale, device: str) -> list[Case]:
    """Return the cases of the section ``scaling``: nano, where growth shows before what is constant."""
    precision = "fp32" if device == "cpu" else "bf16"
    modes = ("fused", "eager") if device == "cpu" else ("fused+graph", "graph")
    return [
        Case(kind, OURS[0], space, batch, precision, mode, "contiguous")
        for kind, mode in zip(("forward", "training step"), modes, strict=True)
        for space, batch in scale.scaling
    ]


def _cases(kind: str, scale: Scale, device: str, ours: tuple[str, ...]) -> list[Case]:
    """Return every network at every size; what matters most comes first.

    Peers get both layouts of their maps, on a GPU in graphs, where they are fastest.
    """
    precision = "fp32" if device == "cpu" else "bf16"
    best = "eager" if device == "cpu" else "graph"
    ways = {("eager", "contiguous"): None, (best, "contiguous"): None, (best, "channels_last"): None}
    found = []
    for space in scale.spaces:
        shape = (space, scale.batch, precision)
        found += [Case(kind, network, *shape, mode, "contiguous") for network in OURS for mode in ours]
        found += [Case(kind, name, *shape, mode, layout) for name in PEERS for mode, layout in ways]
        found.append(Case(kind, STEM, *shape, best, "contiguous"))
    return found
