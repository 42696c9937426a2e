"""What the GPU suite measures: sizes, precisions, and the list of cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

PEERS = ("resnet50", "convnext_tiny", "swin_tiny")

# Of the scan, by device; the first that is asked for is the one the networks run on.
BACKENDS = {"cuda": ("cuda", "mamba_ssm", "chunked"), "cpu": ("cpu", "chunked")}


@dataclass(frozen=True)
class Precision:
    """How numbers are kept: the input's dtype, TF32 in products and convolutions, autocast."""

    dtype: torch.dtype
    tf32: bool = False
    autocast: bool = False

    @property
    def fields(self) -> dict:
        """What a row says of it."""
        dtype = torch.bfloat16 if self.autocast else self.dtype
        return {"dtype": str(dtype).removeprefix("torch."), "tf32": self.tf32, "autocast": self.autocast}

    @contextmanager
    def set(self, device: torch.device) -> Iterator[None]:
        """Set autocast for the calls inside, and the TF32 flags from here on: a backward pass may follow outside."""
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.tf32
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.autocast):
            yield


FP32 = Precision(torch.float32)
TF32 = Precision(torch.float32, tf32=True)
BF16 = Precision(torch.float32, autocast=True)  # images and parameters in float32, as in training
BF16_WEIGHTS = Precision(torch.bfloat16)  # for peers at inference: no casts left to do
PRECISIONS = {"fp32": FP32, "tf32": TF32, "bf16": BF16, "bf16_weights": BF16_WEIGHTS}


@dataclass(frozen=True)
class Stage:
    """A stage of MedMamba-T at 224 px."""

    number: int
    edge: int
    channels: int  # inside the scan
    rank: int


@dataclass(frozen=True)
class Scale:
    """How large the suite's work is."""

    size: int = 224
    batch: int = 64
    batches: tuple[int, ...] = (1, 64, 128)
    stages: tuple[Stage, ...] = (Stage(1, 56, 96, 3), Stage(2, 28, 192, 6), Stage(3, 14, 384, 12), Stage(4, 7, 768, 24))
    scaling: tuple[tuple[int, int], ...] = ((224, 64), (448, 16), (896, 4))  # size and batch: equal pixels
    loss_size: int = 64
    loss_batch: int = 16
    loss_steps: int = 200
    feeding_variant: str = "tiny"
    feeding_size: int = 224
    feeding_images: int = 4096  # to train on
    feeding_epochs: int = 4
    repeats: int | None = None  # None: as many as time allows


# For trying the suite out where nothing can be measured.
QUICK = Scale(
    size=64,
    batch=2,
    batches=(1, 2),
    stages=(Stage(1, 6, 96, 3), Stage(4, 3, 768, 24)),
    scaling=((64, 2), (128, 1)),
    loss_steps=12,
    loss_batch=4,
    feeding_variant="nano",
    feeding_size=32,
    feeding_images=24,
    feeding_epochs=3,
    repeats=2,
)


@dataclass(frozen=True)
class Case:
    """A network, how it runs, and on what."""

    code: str  # published, ours or timm
    network: str
    batch: int
    precision: str
    mode: str  # eager, graph, fused, fused+graph, compile, fused+compile+graph


def inference_cases(scale: Scale, *, published: bool) -> list[Case]:
    """Return the cases of the section ``inference``; those of one network follow each other."""
    modes = {"published": ("eager", "graph"), "ours": ("eager", "fused", "fused+graph")}
    codes = ("published", "ours") if published else ("ours",)
    cases = [
        Case(code, "medmamba_tiny", batch, precision, mode)
        for code in codes
        for precision in ("bf16", "fp32", "tf32")
        for mode in modes[code]
        for batch in scale.batches
    ]
    for peer in PEERS:
        cases += [Case("timm", peer, scale.batch, precision, "eager") for precision in ("fp32", "tf32", "bf16")]
        cases += [Case("timm", peer, batch, "bf16_weights", "graph") for batch in scale.batches]
        cases += [Case("timm", peer, 1, "bf16", "eager")]
    for network in ("medmamba_small", "medmamba_base"):
        for code in codes:
            cases += [Case(code, network, scale.batch, "bf16", mode) for mode in (modes[code][0], modes[code][-1])]
    return cases


def training_cases(scale: Scale, *, published: bool) -> list[Case]:
    """Return the cases of the section ``training``."""
    codes = ("published", "ours") if published else ("ours",)
    modes = ("eager", "graph")
    cases = [Case(code, "medmamba_tiny", scale.batch, p, m) for p in ("bf16", "fp32") for m in modes for code in codes]
    cases += [Case("timm", peer, scale.batch, "bf16", "eager") for peer in PEERS]
    for network in ("medmamba_small", "medmamba_base"):
        cases += [Case(code, network, scale.batch, "bf16", "eager") for code in codes]
    return cases


def compiled_cases(scale: Scale) -> list[tuple[str, Case]]:
    """Return the cases of the section ``compile``, training or inference before each: what matters most comes first."""
    ours = Case("ours", "medmamba_tiny", scale.batch, "bf16", "compile+graph")
    fused = replace(ours, mode="fused+compile+graph")
    order = [("training", ours), ("inference", fused), ("inference", replace(fused, batch=1))]
    return [*order, ("training", replace(ours, precision="fp32"))]


def compiled_peer_cases(scale: Scale) -> list[tuple[str, Case]]:
    """Return the cases of the section ``compiled-peers``."""
    peers = [Case("timm", peer, scale.batch, "bf16", "compile+graph") for peer in reversed(PEERS)]
    order = [("training", case) for case in peers]
    # With weights in bfloat16 for inference: as fast as they can be.
    return order + [("inference", replace(case, precision="bf16_weights")) for case in peers]
