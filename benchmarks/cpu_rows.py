"""The rows of a CPU: the scan, the networks at batch 1, a training step, and how both grow with the image."""

import functools
import resource
from collections.abc import Callable

import torch
from monai.networks.nets import resnet50
from published import build
from timing import milliseconds, milliseconds_in_turn
from torch import nn

from monai_medmamba.networks import compile_network, create_medmamba
from monai_medmamba.ops import cross_selective_scan

STAGES = [((56, 56), 96, 3), ((28, 28), 192, 6), ((14, 14), 384, 12), ((7, 7), 768, 24)]  # space, channels, rank
STATES, DIRECTIONS = 16, 4
CPU = torch.device("cpu")
PUBLISHED = "published, reference recurrence"


def scan_tensors(space: tuple[int, int], channels: int, rank: int) -> list[torch.Tensor]:
    """Return the arguments of the scan at one stage, batch 1."""
    tensors = [
        torch.randn(1, *space, channels),
        0.5 * torch.randn(1, *space, DIRECTIONS, rank + 2 * STATES),
        0.3 * torch.randn(DIRECTIONS, channels, rank),
        torch.randn(DIRECTIONS, channels) - 4,
        -torch.arange(1.0, STATES + 1).expand(DIRECTIONS, channels, STATES).clone(),
        torch.ones(DIRECTIONS, channels),
    ]
    return [tensor.requires_grad_() for tensor in tensors]


def scan_rows(backends: list[str], repeats: int) -> list[dict]:
    """Return the scan's times at each stage."""
    rows = []
    for stage, (space, channels, rank) in enumerate(STAGES, start=1):
        tensors = scan_tensors(space, channels, rank)
        for backend in backends:

            def forward(tensors: list[torch.Tensor] = tensors, backend: str = backend) -> torch.Tensor:
                return cross_selective_scan(*tensors, backend=backend)

            def both(tensors: list[torch.Tensor] = tensors, run: Callable = forward) -> tuple[torch.Tensor, ...]:
                return torch.autograd.grad(run().sum(), tensors)

            with torch.no_grad():
                alone = milliseconds(forward, CPU, repeats=repeats)
            row = {"what": "scan", "stage": stage, "backend": backend, "forward_ms": alone}
            rows.append(row | {"forward_backward_ms": milliseconds(both, CPU, repeats=repeats)})
            print(rows[-1], flush=True)
    return rows


def inference_rows(backends: list[str], repeats: int, published: type[nn.Module] | None) -> list[dict]:
    """Return the time of one image at 224 px through each network."""
    x = torch.randn(1, 3, 224, 224)
    networks = {
        f"medmamba_{variant} ({backend})": create_medmamba(variant, num_classes=6, backend=backend)
        for variant in ("tiny", "nano")
        for backend in backends
    }
    for variant in ("tiny", "nano"):
        plain = networks[f"medmamba_{variant} ({backends[0]})"].eval()
        networks |= {f"medmamba_{variant} ({backends[0]}, fused)": plain.fuse()}
        networks |= {f"medmamba_{variant} ({backends[0]}, fused, compiled)": compile_network(plain.fuse())}
        networks |= {f"medmamba_{variant} ({backends[0]}, fused, bfloat16)": plain.fuse(torch.bfloat16)}
    if published is not None:
        networks[f"medmamba_tiny ({PUBLISHED})"] = build(published, "medmamba_tiny", 6)
    try:
        from timm import create_model
    except ImportError:
        # MONAI's own stem keeps every pixel, at four times the work: the stride makes it the network of the name.
        networks["MONAI resnet50"] = resnet50(spatial_dims=2, n_input_channels=3, num_classes=6, conv1_t_stride=2)
    else:
        networks["timm resnet50"] = create_model("resnet50", num_classes=6)
    for name, network in networks.items():
        network.eval()
        if "resnet" in name:
            network.to(memory_format=torch.channels_last)  # its fastest here
    rows = []
    with torch.no_grad():
        calls = {name: functools.partial(network, x) for name, network in networks.items()}
        for name, took in milliseconds_in_turn(calls, repeats=repeats).items():
            row = {"what": "inference, batch 1, 224 px", "network": name, "ms": took}
            if "bfloat16" in name:
                exact = calls[name.replace(", fused, bfloat16", "")]().softmax(1)
                row["probability_off"] = float(f"{(calls[name]().float().softmax(1) - exact).abs().max():.2g}")
            rows.append(row)
            print(rows[-1], flush=True)
    return rows


def training_rows(backends: list[str], repeats: int, published: type[nn.Module] | None) -> list[dict]:
    """Return the time of a training step of MedMamba-T at 64 px, batch 8, without the optimiser."""
    x, label = torch.randn(8, 3, 64, 64), torch.randint(6, (8,))
    networks = {backend: create_medmamba("tiny", num_classes=6, backend=backend) for backend in backends}
    if published is not None:
        networks[PUBLISHED] = build(published, "medmamba_tiny", 6)
    rows = []
    for backend, network in networks.items():

        def step(network: nn.Module = network) -> None:
            network.zero_grad()
            torch.nn.functional.cross_entropy(network(x), label).backward()

        rows.append({"what": "training step, tiny, batch 8, 64 px", "backend": backend})
        rows[-1]["ms"] = milliseconds(step, CPU, repeats=max(3, repeats // 4))
        print(rows[-1], flush=True)
    return rows


def scaling_rows(repeats: int) -> list[dict]:
    """Return the time per pixel of MedMamba-T from 224 to 896 px with the backend that 'auto' takes, and the memory."""
    network = create_medmamba("tiny", num_classes=6).eval()
    rows = []
    for size in (224, 448, 896):
        x = torch.randn(1, 3, size, size)
        with torch.no_grad():
            took = milliseconds(lambda x=x: network(x), CPU, repeats=max(3, repeats // 4))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append({"what": "scaling, tiny, batch 1", "size": size, "ms": took, "ns_per_pixel": 1e6 * took / size**2})
        rows[-1]["process_peak_mib"] = round(peak)
        print(rows[-1], flush=True)
    return rows


def cpu_rows(backends: list[str], repeats: int, published: type[nn.Module] | None = None) -> list[dict]:
    """Return every row. Scaling comes first: the process's peak memory never falls."""
    rows = scaling_rows(repeats) + scan_rows(backends, repeats)
    return rows + inference_rows(backends, repeats, published) + training_rows(backends, repeats, published)
