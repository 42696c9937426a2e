"""Sections ``logits`` and ``inference``: does every path compute the same, and how long does it take."""

from functools import partial

import torch
from cases import Case, inference_cases
from core import rms
from suite import CLASSES, Suite
from timing import milliseconds
from torch import Tensor, nn

from monai_medmamba.networks import create_medmamba, to_published

CHECKED = 8  # images whose logits are compared
PATHS = [
    ("published", "fp32", "eager"),
    ("published", "bf16", "eager"),
    *(("ours", precision, mode) for precision in ("fp32", "bf16") for mode in ("eager", "fused", "fused+graph")),
]


def settle(network: nn.Module, x: Tensor) -> None:
    """Give BatchNorm running statistics of its own: folding those of a fresh network proves nothing."""
    with torch.no_grad():
        for _ in range(3):
            network.train()(x)
    network.eval()


def logits(suite: Suite) -> None:
    """Record the error of each path's logits against the plain network in float64, all from the same weights."""
    name, batch = "medmamba_tiny", min(CHECKED, max(suite.scale.batches))
    torch.manual_seed(1)
    x = torch.randn(batch, 3, suite.scale.size, suite.scale.size, device=suite.device)
    plain = create_medmamba(name, num_classes=CLASSES, backend="chunked").to(suite.device)
    plain.load_state_dict(suite.build("ours", name).state_dict())
    settle(plain, x)
    statistics = {key: value for key, value in plain.state_dict().items() if "running" in key}
    with torch.no_grad():
        exact = plain.double()(x.double())
    found: dict[tuple[str, str, str], Tensor] = {}

    def measure(case: Case) -> dict:
        network = suite.build(case.code, name)
        network.load_state_dict(statistics if case.code == "ours" else to_published(statistics), strict=False)
        y = suite.inference(network, case, x)().double()
        found[case.code, case.precision, case.mode] = y
        figures = {"error_logits": float(f"{rms(y - exact) / rms(exact):.3g}")}
        other = found.get(("published", "fp32", "eager"))
        if case.code == "ours" and case.precision == "fp32" and other is not None:
            figures["from_published"] = float(f"{rms(y - other) / rms(exact):.3g}")
        return figures

    for code, precision, mode in PATHS:
        if code == "ours" or suite.published is not None:
            case = Case(code, name, batch, precision, mode)
            suite.record.row(suite.fields("logits", case), partial(measure, case))


def measure(suite: Suite) -> None:
    """Measure every case of the section; a network is built once for the cases that follow each other."""
    built: dict[tuple[str, str], nn.Module] = {}

    def time(case: Case) -> dict:
        key = case.code, case.network
        if key not in built:
            built.clear()
            built[key] = suite.build(*key)
        torch.manual_seed(2)
        run = suite.inference(built[key], case, suite.images(case))
        return {"ms": milliseconds(run, suite.device, repeats=suite.scale.repeats)}

    for case in inference_cases(suite.scale, published=suite.published is not None):
        what = suite.fields("inference", case, size=suite.scale.size)
        suite.record.row(what, partial(time, case))
