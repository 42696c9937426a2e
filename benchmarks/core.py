"""Section ``core``: the scan with its projections and the sum of its directions, at each stage of MedMamba-T.

That is what the published ``SS2D`` does in ``forward_core`` and the line after it: from the map behind the depthwise
convolution to the map before the norm. Parameters stay in float32; the features are float32 or bfloat16.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import published
import torch
import torch.nn.functional as F
from cases import BF16, FP32, TF32, Precision, Stage
from suite import Suite
from timing import milliseconds
from torch import Tensor, nn

from monai_medmamba.layers import SS2D
from monai_medmamba.ops import cross_selective_scan

OURS = ("x_proj_weight", "dt_weight", "dt_bias", "A_log", "D")
PUBLISHED = ("x_proj_weight", "dt_projs_weight", "dt_projs_bias", "A_logs", "Ds")
REFERENCE_STAGE = 4  # where the reference is quick enough to be timed
ERROR_BATCH = 1


@dataclass(frozen=True)
class Contestant:
    """One way to compute the core."""

    names: dict
    layer: nn.Module
    run: Callable[[Tensor], Tensor]
    parameters: tuple[str, ...]
    channels_first: bool = False

    def forward(self, x: Tensor, precision: Precision) -> Tensor:
        """Return the result alone."""
        with torch.no_grad(), precision.set(x.device):
            return self.run(x)

    def both(self, x: Tensor, grad_y: Tensor, precision: Precision) -> list[Tensor]:
        """Return the result, its gradient by the features, and those by the parameters."""
        with precision.set(x.device):
            y = self.run(x)
        leaves = [x, *(getattr(self.layer, name) for name in self.parameters)]
        return [y.detach(), *torch.autograd.grad(y, leaves, grad_y.to(y.dtype))]


def our_layer(stage: Stage, device: torch.device) -> nn.Module:
    """Return our layer at a stage, its rates of decay spread a little, as training spreads them."""
    torch.manual_seed(stage.number)
    layer = SS2D(stage.channels // 2)
    with torch.no_grad():
        layer.A_log.add_(0.2 * torch.randn_like(layer.A_log))
        layer.D.add_(0.2 * torch.randn_like(layer.D))
    return layer.to(device)


def ours(layer: nn.Module, backend: str) -> Contestant:
    """Return our core: one matrix product for all directions, then the operation."""

    def run(x: Tensor) -> Tensor:
        projected = F.linear(x, layer.x_proj_weight.flatten(0, 1)).unflatten(-1, layer.x_proj_weight.shape[:2])
        decay = -torch.exp(layer.A_log)
        return cross_selective_scan(x, projected, layer.dt_weight, layer.dt_bias, decay, layer.D, backend=backend)

    return Contestant({"code": "ours", "backend": backend}, layer, run, OURS)


def contestants(suite: Suite, stage: Stage) -> list[Contestant]:
    """Return everybody who runs at a stage, with the same parameters."""
    layer = our_layer(stage, suite.device)
    found = [ours(layer, name) for name in suite.backends]
    if stage.number == REFERENCE_STAGE:
        found.append(ours(layer, "reference"))
    if suite.published is not None:
        theirs = published.layer_like(suite.published, layer)
        run = partial(published.core, theirs)
        found.insert(0, Contestant({"code": "published"}, theirs, run, PUBLISHED, channels_first=True))
    return found


def dtype_of(precision: Precision) -> torch.dtype:
    """Return the features' dtype: under autocast the convolution before them leaves bfloat16."""
    return torch.bfloat16 if precision.autocast else precision.dtype


def tensors(suite: Suite, stage: Stage, batch: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return random features, as a SiLU leaves them, and a gradient of the result; the same for everybody."""
    torch.manual_seed(100 + stage.number)
    shape = (batch, stage.edge, stage.edge, stage.channels)
    x, grad_y = F.silu(torch.randn(shape)), torch.randn(shape)
    return x.to(suite.device, dtype), grad_y.to(suite.device)


def laid_out(x: Tensor, contestant: Contestant) -> Tensor:
    """Return the features as a leaf in a contestant's layout."""
    return (x.movedim(-1, 1).contiguous() if contestant.channels_first else x.clone()).requires_grad_()


def rms(x: Tensor) -> float:
    """Return the root mean square in float64."""
    return x.double().pow(2).mean().sqrt().item()


def error(contestant: Contestant, x: Tensor, grad_y: Tensor, precision: Precision, exact: list[Tensor]) -> dict:
    """Return the error of the result and of each gradient, relative to the exact one's RMS."""
    y, grad_x, *grads = contestant.both(laid_out(x, contestant), grad_y, precision)
    parts = [y, grad_x.movedim(1, -1) if contestant.channels_first else grad_x, *grads]
    off = [rms(part.double().reshape(true.shape) - true) / rms(true) for part, true in zip(parts, exact, strict=True)]
    off_y, *off_gradients = (float(f"{value:.3g}") for value in off)
    return {"error_y": off_y, "error_gradients": dict(zip(("x", *OURS), off_gradients, strict=True))}


def errors(suite: Suite, stage: Stage, precision: Precision) -> None:
    """Record each contestant's error against the reference in float64, from the same features."""
    x, grad_y = tensors(suite, stage, ERROR_BATCH, dtype_of(precision))
    specification = ours(our_layer(stage, suite.device).double(), "reference")
    exact = specification.both(x.double().requires_grad_(), grad_y, FP32)
    for contestant in contestants(suite, stage):
        what = {"what": "core error", **contestant.names, "stage": stage.number, "batch": ERROR_BATCH}
        what |= {"dtype": str(x.dtype).removeprefix("torch."), "tf32": precision.tf32}
        suite.record.row(what, partial(error, contestant, x, grad_y, precision, exact))


def times(suite: Suite, stage: Stage, precision: Precision) -> None:
    """Record how long each contestant takes, forward alone and with gradients, and whether gradients repeat."""
    x, grad_y = tensors(suite, stage, suite.scale.batch, dtype_of(precision))
    for contestant in contestants(suite, stage):
        if precision.tf32 and contestant.names.get("backend") not in (None, suite.backends[0]):
            continue  # TF32 changes the product before the scan alone
        leaf = laid_out(x, contestant)
        forward = partial(contestant.forward, leaf, precision)
        both = partial(contestant.both, leaf, grad_y, precision)

        def forward_row(run: Callable = forward) -> dict:
            return {"ms": milliseconds(run, suite.device, repeats=suite.scale.repeats)}

        def both_row(run: Callable = both) -> dict:
            took = milliseconds(run, suite.device, repeats=suite.scale.repeats)
            repeats = all(torch.equal(first, second) for first, second in zip(run(), run(), strict=True))
            return {"ms": took, "repeats_bitwise": repeats}

        what = {"what": "core", **contestant.names, "stage": stage.number, "batch": suite.scale.batch}
        what |= {"dtype": str(x.dtype).removeprefix("torch."), "tf32": precision.tf32}
        suite.record.row(what | {"pass": "forward"}, forward_row)
        suite.record.row(what | {"pass": "forward+backward"}, both_row)


def measure(suite: Suite) -> None:
    """Measure the section."""
    for stage in suite.scale.stages:
        for precision in (FP32, BF16):
            errors(suite, stage, precision)
    for stage in suite.scale.stages:
        for precision in (FP32, TF32, BF16):
            times(suite, stage, precision)
