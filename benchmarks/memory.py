"""Measure what a training step of the bundles takes of a GPU: ``python benchmarks/memory.py --out DIR``.

Each row trains as the bundles do on one GPU: bf16 autocast, passes from CUDA graphs, fused AdamW. ``used_gib`` is what
the device's own count shows, the context included: that is what must fit. The planner's memory model is fitted to the
rows whose ``fitted`` is true and checked against the others; ``tests/planning`` holds it to 15 %.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import torch
from cases import BF16
from record import Record
from targets import RESULTS
from timing import milliseconds, release

from monai_medmamba.networks import GraphedTraining, create_medmamba

CLASSES = 8
ORDER = ("tiny", "nano", "small", "base")
FITTED = [("tiny", 64, 64), ("tiny", 224, 64), ("nano", 224, 64), ("small", 224, 64), ("base", 224, 64)]
CHECKED = [("tiny", 128, 64), ("tiny", 448, 16), ("nano", 128, 128), ("small", 384, 16), ("base", 128, 64)]


def gib(size: float) -> float:
    """Return bytes in GiB."""
    return round(size / 2**30, 3)


def train(variant: str, size: int, batch: int) -> dict:
    """Return the time of a step and its memory."""
    device = torch.device("cuda")
    release()
    left_reserved, left_allocated = torch.cuda.memory_reserved(), torch.cuda.memory_allocated()  # by earlier rows
    torch.cuda.reset_peak_memory_stats()
    network = create_medmamba(variant, num_classes=CLASSES, backend="cuda").to(device).train()
    run = GraphedTraining(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    x, label = torch.rand(batch, 3, size, size, device=device), torch.randint(CLASSES, (batch,), device=device)

    def step() -> None:
        with BF16.set(device):
            loss = torch.nn.functional.cross_entropy(run(x), label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    ms = milliseconds(step, device, repeats=8)
    free, total = torch.cuda.mem_get_info()
    beside = total - free - torch.cuda.memory_reserved()
    peak, tensors = torch.cuda.max_memory_reserved() - left_reserved, torch.cuda.max_memory_allocated() - left_allocated
    return {"ms": ms, "used_gib": gib(peak + beside), "reserved_gib": gib(peak), "tensors_gib": gib(tensors)}


def cases() -> list[tuple[bool, tuple[str, int, int]]]:
    """Return whether each case is fitted, and the case; those of one network follow each other."""
    both = [(True, case) for case in FITTED] + [(False, case) for case in CHECKED]
    return sorted(both, key=lambda found: ORDER.index(found[1][0]))


def main() -> int:
    """Measure every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="folder of the record; benchmarks/results if not given"
    )
    parser.add_argument("--seconds", type=float, default=200, help="no row begins after that")
    arguments = parser.parse_args()
    name = torch.cuda.get_device_name()
    path = arguments.out / f"{Record.today()}-memory-{name.lower().replace(' ', '-')}.json"
    record = Record(path, name, arguments.seconds, {"dtype": "bfloat16", "mode": "graph"})
    record.section = "memory"
    for fitted, (variant, size, batch) in cases():
        what = {"what": "training step", "network": f"medmamba_{variant}", "size": size, "batch": batch}
        record.row({**what, "fitted": fitted}, partial(train, variant, size, batch))
    record.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
