"""Measure what a training step of the bundles takes of a GPU: ``python benchmarks/memory.py --out DIR``.

Each row trains as the bundles do on one GPU: bf16 autocast, passes from CUDA graphs, fused AdamW. ``used_gib`` is what
the device's own count shows, the context included: that is what must fit. The planner's memory model is fitted to the
rows whose ``fitted`` is true and checked against the others; ``tests/planning`` holds it to 15 %.
"""

import sys
from functools import partial

import torch
from cases import BF16
from gpu_record import gpu_record
from timing import milliseconds, release

from monai_medmamba.networks import GraphedTraining, create_medmamba

CLASSES = 8
ORDER = ("nano", "tiny", "small", "base")
FITTED = [("tiny", 64, 64), ("tiny", 224, 64), ("nano", 224, 64), ("small", 224, 64), ("base", 224, 64)]
CHECKED = [("tiny", 128, 64), ("tiny", 448, 16), ("nano", 128, 128), ("small", 384, 16), ("base", 128, 64)]
FITTED_VOLUMES = [
    ("nano", (96, 96, 96), 16),
    ("tiny", (96, 96, 96), 8),
    ("small", (64, 64, 64), 16),
    ("base", (64, 64, 64), 16),
]
CHECKED_VOLUMES = [
    ("nano", (64, 64, 64), 32),
    ("nano", (96, 96, 96), 4),
    ("tiny", (48, 96, 96), 8),
    ("small", (96, 96, 96), 8),
    ("base", (64, 96, 96), 8),
]


def gib(size: float) -> float:
    """Return bytes in GiB."""
    return round(size / 2**30, 3)


def train(variant: str, size: int | tuple[int, ...], batch: int) -> dict:
    """Return the time of a step and its memory."""
    device = torch.device("cuda")
    release()
    left_reserved, left_allocated = torch.cuda.memory_reserved(), torch.cuda.memory_allocated()  # by earlier rows
    torch.cuda.reset_peak_memory_stats()
    channels, *space = (3, size, size) if isinstance(size, int) else (1, *size)
    network = create_medmamba(variant, len(space), channels, num_classes=CLASSES, backend="cuda").to(device).train()
    run = GraphedTraining(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    x, label = torch.rand(batch, channels, *space, device=device), torch.randint(CLASSES, (batch,), device=device)

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


def cases() -> list[tuple[bool, tuple[str, int | tuple[int, ...], int]]]:
    """Return whether each case is fitted, and the case; of images and of volumes, networks one after the other."""
    found = []
    for fitted, checked in ((FITTED, CHECKED), (FITTED_VOLUMES, CHECKED_VOLUMES)):
        both = [(True, case) for case in fitted] + [(False, case) for case in checked]
        found += sorted(both, key=lambda one: ORDER.index(one[1][0]))
    return found


def main() -> int:
    """Measure every case."""
    record = gpu_record(__doc__, "memory", 200, {"dtype": "bfloat16", "mode": "graph"})
    for fitted, (variant, size, batch) in cases():
        what = {"what": "training step", "network": f"medmamba_{variant}", "size": size, "batch": batch}
        record.row({**what, "fitted": fitted}, partial(train, variant, size, batch))
    record.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
