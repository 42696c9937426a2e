"""Time the scan and the network on this machine: ``python benchmarks/run.py``.

Rows: the scan at the four stages of MedMamba-T at 224 px, forward and with gradients, for each backend; inference of
the network, batch 1, for each backend beside ResNet-50 (timm's where it is installed, else MONAI's, which is larger);
a training step at 64 px, batch 8; time and memory from 224 to 896 px. Random data, warm-up, medians. Run the tests of
the operation first: ``make bench`` does.
"""

import argparse
import datetime
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import monai
import torch
from monai.networks.nets import resnet50
from provenance import commit
from targets import RESULTS, write_targets

from monai_medmamba.information import backend_states
from monai_medmamba.networks import create_medmamba
from monai_medmamba.ops import cross_selective_scan
from monai_medmamba.ops.cross_selective_scan import cpu

STAGES = [((56, 56), 96, 3), ((28, 28), 192, 6), ((14, 14), 384, 12), ((7, 7), 768, 24)]  # space, channels, rank
STATES, DIRECTIONS = 16, 4


def milliseconds(run: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the median time of a call after two calls for warm-up."""
    times = []
    for i in range(repeats + 2):
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if i >= 2:
            times.append(1e3 * (time.perf_counter() - start))
    return round(statistics.median(times), 3)


def scan_tensors(space: tuple[int, int], channels: int, rank: int, device: torch.device) -> list[torch.Tensor]:
    """Return the arguments of the scan at one stage, batch 1."""
    tensors = [
        torch.randn(1, *space, channels),
        0.5 * torch.randn(1, *space, DIRECTIONS, rank + 2 * STATES),
        0.3 * torch.randn(DIRECTIONS, channels, rank),
        torch.randn(DIRECTIONS, channels) - 4,
        -torch.arange(1.0, STATES + 1).expand(DIRECTIONS, channels, STATES).clone(),
        torch.ones(DIRECTIONS, channels),
    ]
    return [tensor.to(device).requires_grad_() for tensor in tensors]


def scan_rows(backends: list[str], device: torch.device, repeats: int) -> list[dict]:
    """Return the scan's times at each stage."""
    rows = []
    for stage, (space, channels, rank) in enumerate(STAGES, start=1):
        tensors = scan_tensors(space, channels, rank, device)
        for backend in backends:

            def forward(tensors: list[torch.Tensor] = tensors, backend: str = backend) -> torch.Tensor:
                return cross_selective_scan(*tensors, backend=backend)

            def both(tensors: list[torch.Tensor] = tensors, run: Callable = forward) -> tuple[torch.Tensor, ...]:
                return torch.autograd.grad(run().sum(), tensors)

            with torch.no_grad():
                alone = milliseconds(forward, device, repeats)
            row = {"what": "scan", "stage": stage, "backend": backend, "forward_ms": alone}
            rows.append(row | {"forward_backward_ms": milliseconds(both, device, repeats)})
            print(rows[-1])
    return rows


def inference_rows(backends: list[str], device: torch.device, repeats: int) -> list[dict]:
    """Return the time of one image at 224 px through each network."""
    x = torch.randn(1, 3, 224, 224, device=device)
    networks = {
        f"medmamba_{variant} ({backend})": create_medmamba(variant, num_classes=6, backend=backend)
        for variant in ("tiny", "nano")
        for backend in backends
    }
    try:
        import timm
    except ImportError:
        networks["MONAI resnet50"] = resnet50(spatial_dims=2, n_input_channels=3, num_classes=6)
    else:
        networks["timm resnet50"] = timm.create_model("resnet50", num_classes=6)
    rows = []
    for name, network in networks.items():
        network = network.to(device).eval()
        with torch.no_grad():
            took = milliseconds(lambda network=network: network(x), device, repeats)
        rows.append({"what": "inference, batch 1, 224 px", "network": name, "ms": took})
        print(rows[-1])
    return rows


def training_rows(backends: list[str], device: torch.device, repeats: int) -> list[dict]:
    """Return the time of a training step of MedMamba-T at 64 px, batch 8, without the optimiser."""
    x, label = torch.randn(8, 3, 64, 64, device=device), torch.randint(6, (8,), device=device)
    rows = []
    for backend in backends:
        network = create_medmamba("tiny", num_classes=6, backend=backend).to(device)

        def step(network: torch.nn.Module = network) -> None:
            network.zero_grad()
            torch.nn.functional.cross_entropy(network(x), label).backward()

        rows.append({"what": "training step, tiny, batch 8, 64 px", "backend": backend})
        rows[-1]["ms"] = milliseconds(step, device, max(3, repeats // 4))
        print(rows[-1])
    return rows


def scaling_rows(device: torch.device, repeats: int) -> list[dict]:
    """Return the time per pixel of MedMamba-T from 224 to 896 px with the backend that 'auto' takes, and the memory."""
    network = create_medmamba("tiny", num_classes=6).to(device).eval()
    rows = []
    for size in (224, 448, 896):
        x = torch.randn(1, 3, size, size, device=device)
        with torch.no_grad():
            took = milliseconds(lambda x=x: network(x), device, max(3, repeats // 4))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append({"what": "scaling, tiny, batch 1", "size": size, "ms": took, "ns_per_pixel": 1e6 * took / size**2})
        rows[-1]["process_peak_mib"] = round(peak)
        print(rows[-1])
    return rows


def main() -> None:
    """Time everything and write one record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2, help="of torch and of the cpu backend")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    backends = [name for name, reasons in backend_states(device).items() if not reasons]
    # Scaling comes first: the process's peak memory never falls.
    rows = scaling_rows(device, arguments.repeats)
    rows += scan_rows(backends, device, arguments.repeats)
    rows += inference_rows(backends, device, arguments.repeats)
    rows += training_rows(backends, device, arguments.repeats)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu-{cpu.ISA_NAMES[cpu.best_isa()]}"
    record = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "device": name,
        "machine": platform.platform(),
        "threads": arguments.threads,
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "monai": monai.__version__},
        "rows": rows,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"{record['date']}-speed-{name.lower().replace(' ', '-')}.json"
    path.write_text(json.dumps(record, indent=4) + "\n")
    write_targets()
    print(path)


if __name__ == "__main__":
    main()
