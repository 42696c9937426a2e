"""Time MedMamba in 3-D beside MONAI's ResNet-18 and DenseNet-121: ``python benchmarks/volumes.py``.

Forward pass and training step on volumes of 96 x 96 x 96 and 64 x 128 x 128 voxels, one channel, two classes; peak
memory; and how the time grows with the voxels. On a CPU in float32, one volume; on a GPU under bfloat16 autocast, eager
and in a CUDA graph. Random data, warm-up, medians. Volumes of 64 slices are cut into patches of 2 x 4 x 4 voxels.

The record is ``benchmarks/results/<date>-volumes-<device>.json``. ``--quick`` tries everything out at tiny sizes; its
record goes nowhere near the others.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from cases import PRECISIONS
from monai.networks.nets import DenseNet121, resnet18
from record import Record
from targets import RESULTS, print_targets, write_targets
from timing import allocated, capture, milliseconds, peak_memory, release
from torch import Tensor, nn
from volume_cases import STEM, Case, Scale, forward_cases, scaling_cases, training_cases

from monai_medmamba.networks import create_medmamba
from monai_medmamba.ops.cross_selective_scan import cpu

CLASSES = 2
THICK = {"patch_size": (2, 4, 4)}  # of volumes with half as many slices as rows


def build(case: Case, device: torch.device) -> nn.Module:
    """Return a network with weights from one seed; peers in the layout that the case names."""
    torch.manual_seed(0)
    if case.network == "resnet18":
        # MONAI's own stem keeps every voxel, at eight times the work: the stride makes it the network of the name.
        network = resnet18(spatial_dims=3, n_input_channels=1, num_classes=CLASSES, conv1_t_stride=2)
    elif case.network == STEM:
        network = resnet18(spatial_dims=3, n_input_channels=1, num_classes=CLASSES)
    elif case.network == "densenet121":
        network = DenseNet121(spatial_dims=3, in_channels=1, out_channels=CLASSES)
    else:
        strides = THICK if len(set(case.space)) > 1 else {}
        again = case.mode.startswith("checkpoint")
        network = create_medmamba(case.network, 3, 1, num_classes=CLASSES, use_checkpoint=again, **strides)
    return network.to(device, memory_format=torch.channels_last_3d if case.layout == "channels_last" else None)


def volumes(case: Case, device: torch.device) -> Tensor:
    """Return a random batch; with one channel, either layout is the same."""
    torch.manual_seed(1)
    return torch.randn(case.batch, 1, *case.space, device=device)


def forward(case: Case, network: nn.Module, x: Tensor) -> Callable[[], Tensor]:
    """Return a call that classifies a batch."""
    precision = PRECISIONS[case.precision]
    network = network.eval()
    if case.mode.startswith("fused"):
        # Weights in bf16 in place of autocast: no cast is left to do.
        network = network.fuse(torch.bfloat16 if precision.autocast else None)
        precision = PRECISIONS["fp32"]

    def run() -> Tensor:
        with torch.no_grad(), precision.set(x.device):
            return network(x)

    return run


def training_step(case: Case, network: nn.Module, x: Tensor) -> Callable[[], Tensor]:
    """Return a call that trains on a batch once: forward, cross-entropy, backward, fused AdamW."""
    precision = PRECISIONS[case.precision]
    label = torch.randint(CLASSES, (len(x),), device=x.device)
    captured = case.mode.endswith("graph")
    optimizer = torch.optim.AdamW(network.train().parameters(), lr=1e-4, fused=True, capturable=captured)

    def step() -> Tensor:
        optimizer.zero_grad()
        with precision.set(x.device):
            loss = nn.functional.cross_entropy(network(x), label)
        loss.backward()
        optimizer.step()
        return loss

    return step


def figures(case: Case, device: torch.device, repeats: int | None) -> dict:
    """Return the time of a call, that of a voxel, peak memory and parameters."""
    release()
    others = allocated(device)
    network = build(case, device)
    run = (training_step if case.kind == "training step" else forward)(case, network, volumes(case, device))
    run()  # makes the optimiser's state
    memory = peak_memory(run, device, others)  # not of a graph: its memory is never given back
    run = capture(run) if case.mode.endswith("graph") else run
    took = milliseconds(run, device, repeats=repeats, warm_up=1 if device.type == "cpu" else 3)
    millions = round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2)
    return {"ms": took, "ns_per_voxel": round(1e6 * took / case.voxels, 3), **memory, "million_parameters": millions}


def measure(record: Record, cases: list[Case], device: torch.device, repeats: int | None) -> None:
    """Measure the rows of a section; after those of ``scaling``, how the time of a voxel changes."""
    found: dict[tuple, dict] = {}
    for case in cases:
        row = record.row(case.fields(), partial(figures, case, device, repeats))
        if record.section == "scaling" and "ms" in row:
            found.setdefault((case.kind, case.network), {})[case.space] = row["ns_per_voxel"]
    for (kind, network), times in found.items():
        small, *_, large = sorted(times)
        what = {"what": "time per voxel", "of": kind, "network": network, "from": list(small), "to": list(large)}
        ratio = times[large] / times[small]
        record.row(what, lambda ratio=ratio: {"ratio": round(ratio, 4)})


def parse() -> argparse.Namespace:
    """Return what the user asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--out", type=Path, help="folder of the record; benchmarks/results if not given")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no row begins after that (no limit)")
    parser.add_argument("--threads", type=int, default=2, help="on a CPU")
    parser.add_argument("--repeats", type=int, help="of each call; as many as time allows if not given, 5 on a CPU")
    parser.add_argument("--note", help="kept in the record, such as what else the machine was doing")
    parser.add_argument("--quick", action="store_true", help="tiny sizes; measures nothing")
    return parser.parse_args()


def main() -> int:
    """Measure every section, and keep the record."""
    arguments = parse()
    device = torch.device(arguments.device)
    if device.type == "cpu":
        torch.set_num_threads(arguments.threads)
        name, notes = f"cpu-{cpu.ISA_NAMES[cpu.best_isa()]}", {"threads": arguments.threads}
    else:
        torch.backends.cudnn.benchmark = True  # for everybody
        name, notes = torch.cuda.get_device_name(device), {"cudnn_benchmark": True}
    kind = "quick-volumes" if arguments.quick else "volumes"
    folder = arguments.out or (Path(tempfile.mkdtemp()) if arguments.quick else RESULTS)
    path = folder / f"{Record.today()}-{kind}-{name.lower().replace(' ', '-')}.json"
    record = Record(path, name, arguments.seconds, {**notes, "quick": arguments.quick, "note": arguments.note})
    scale = Scale.quick() if arguments.quick else Scale.of(device.type)
    repeats = arguments.repeats or scale.repeats
    sections = {"scaling": scaling_cases, "forward": forward_cases, "training": training_cases}
    for section, cases in sections.items():
        record.run_section(section, lambda cases=cases: measure(record, cases(scale, device.type), device, repeats))
    print_targets(record.content, path.name)
    if path.parent == RESULTS:
        write_targets()
    print(path)
    failed = [row for row in (*record.rows, *record.content["sections"].values()) if "failed" in row]
    return int(any("left out" not in row["failed"] for row in failed))


if __name__ == "__main__":
    sys.exit(main())
