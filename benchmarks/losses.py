"""Section ``losses``: the same training on every backend, from one seed; their losses must lie together."""

import time
from functools import partial

import torch
import torch.nn.functional as F
from cases import FP32
from suite import CLASSES, Suite
from timing import release
from torch import Tensor

from monai_medmamba.networks import GraphedTraining, medmamba_nano

IMAGES = 768
WINDOW = 20  # steps of the moving mean that differences are taken of
RATE = 3e-4
NOISE = 8.0  # against patterns of about 1: the loss falls over the whole of the 200 steps


def data(suite: Suite) -> tuple[Tensor, Tensor]:
    """Return images that a network can tell apart: a smooth pattern for each class under noise."""
    generator = torch.Generator().manual_seed(0)
    size = suite.scale.loss_size
    coarse = torch.randn(CLASSES, 3, 4, 4, generator=generator)
    patterns = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)
    label = torch.arange(IMAGES) % CLASSES
    images = patterns[label] + NOISE * torch.randn(IMAGES, 3, size, size, generator=generator)
    return images.to(suite.device), label.to(suite.device)


def train(suite: Suite, backend: str, images: Tensor, label: Tensor) -> dict:
    """Return the loss of every step, in float32 without TF32, nothing random but the seed."""
    torch.manual_seed(0)
    network = medmamba_nano(num_classes=CLASSES, drop_path_rate=0.0, backend=backend).to(suite.device).train()
    # From CUDA graphs on a GPU: the reference launches thousands of kernels a step, and the host would take minutes.
    run = GraphedTraining(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    order = torch.Generator().manual_seed(1)
    losses, began = [], time.perf_counter()
    for _ in range(suite.scale.loss_steps):
        chosen = torch.randint(IMAGES, (suite.scale.loss_batch,), generator=order).to(suite.device)
        with FP32.set(suite.device):
            loss = F.cross_entropy(run(images[chosen]), label[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    values = [round(value, 5) for value in torch.stack(losses).tolist()]
    milliseconds = 1e3 * (time.perf_counter() - began) / len(values)
    return {"ms": round(milliseconds, 2), "first": values[0], "last": values[-1], "losses": values}


def smooth(losses: list[float]) -> Tensor:
    """Return the moving mean."""
    return torch.tensor(losses, dtype=torch.float64).unfold(0, min(WINDOW, len(losses)), 1).mean(-1)


def apart(losses: list[float], others: list[float]) -> dict:
    """Return the largest and the mean difference between two smoothed curves."""
    difference = (smooth(losses) - smooth(others)).abs()
    return {"largest": round(difference.max().item(), 5), "mean": round(difference.mean().item(), 5)}


def measure(suite: Suite) -> None:
    """Measure the section; the reference, by far the slowest, comes last."""
    images, label = data(suite)
    shape = {"network": "medmamba_nano", "batch": suite.scale.loss_batch, "size": suite.scale.loss_size}
    shape |= {"dtype": "float32", "tf32": False, "mode": "graph" if suite.device.type == "cuda" else "eager"}
    curves = {}
    for backend in [*(name for name in suite.backends if name != "chunked"), "reference"]:
        release()
        what = {"what": "losses", "backend": backend, **shape}
        curves[backend] = suite.record.row(what, partial(train, suite, backend, images, label)).get("losses")
    for backend in list(curves)[:-1]:
        if curves[backend] and curves["reference"]:
            what = {"what": "losses apart", "backend": backend, "against": "reference", "window": WINDOW}
            suite.record.row(what, partial(apart, curves[backend], curves["reference"]))
