"""The state of every target that can be read from the records: ``python benchmarks/targets.py``.

Each target names the newest record that holds it and takes one figure from it. The list goes to
``benchmarks/results/targets.json``; the scripts that write records write it again.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).resolve().parent / "results"


class Target(NamedTuple):
    """One figure, what it must be and what it aims at."""

    name: str
    what: str
    unit: str
    better: str
    must: float
    aim: float | None
    records: str  # pattern of file names
    read: Callable[[dict], float]


def row(record: dict, field: str, **wanted: object) -> float:
    """Return a field of the one row whose other fields are these."""
    found = [r[field] for r in record["rows"] if all(r.get(key) == value for key, value in wanted.items())]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows with {wanted}")
    return found[0]


def stage_one(record: dict) -> float:
    """Return how many times faster the chunked scan is than the reference at stage 1."""
    times = [row(record, "forward_ms", what="scan", stage=1, backend=name) for name in ("reference", "chunked")]
    return times[0] / times[1]


def tiny(record: dict, backend: str) -> float:
    """Return the time of one image at 224 px through MedMamba-T."""
    return row(record, "ms", what="inference, batch 1, 224 px", network=f"medmamba_tiny ({backend})")


def training(record: dict, backend: str) -> float:
    """Return the time of a training step of MedMamba-T at 64 px, batch 8."""
    return row(record, "ms", what="training step, tiny, batch 8, 64 px", backend=backend)


def per_pixel(record: dict) -> float:
    """Return the time per pixel at 896 px against that at 224 px."""
    large, small = (row(record, "ns_per_pixel", what="scaling, tiny, batch 1", size=size) for size in (896, 224))
    return large / small


CPU, KVASIR_CPU = "*-speed-cpu-*.json", "*-kvasir-seg-patches-cpu.json"
TARGETS = (
    Target(
        name="chunked_stage_1",
        what="chunked against the reference, forward, stage 1",
        unit="x",
        better="higher",
        must=2.5,
        aim=None,
        records=CPU,
        read=stage_one,
    ),
    Target(
        name="cpu_inference",
        what="T, batch 1, 224 px: cpu against the reference recurrence",
        unit="x",
        better="higher",
        must=20,
        aim=30,
        records=CPU,
        read=lambda record: tiny(record, "reference") / tiny(record, "cpu"),
    ),
    Target(
        name="cpu_training",
        what="training step of T, 64 px, batch 8: cpu against the reference",
        unit="x",
        better="higher",
        must=8,
        aim=15,
        records=CPU,
        read=lambda record: training(record, "reference") / training(record, "cpu"),
    ),
    Target(
        name="cpu_scaling",
        what="T, time per pixel on a CPU, 896 against 224 px",
        unit="x",
        better="lower",
        must=1.15,
        aim=1.05,
        records=CPU,
        read=per_pixel,
    ),
    Target(
        name="cpu_nano",
        what="medmamba_nano, batch 1, 224 px",
        unit="ms",
        better="lower",
        must=10,
        aim=None,
        records=CPU,
        read=lambda record: row(record, "ms", what="inference, batch 1, 224 px", network="medmamba_nano (cpu)"),
    ),
    Target(
        name="kvasir_patches_cpu",
        what="Kvasir-SEG patches, nano at 64 px trained on 2 cores: test accuracy",
        unit="",
        better="higher",
        must=0.90,
        aim=None,
        records=KVASIR_CPU,
        read=lambda record: record["mean"]["accuracy"],
    ),
    Target(
        name="kvasir_patches_cpu_minutes",
        what="Kvasir-SEG patches, nano at 64 px trained on 2 cores: time of training",
        unit="min",
        better="lower",
        must=15,
        aim=None,
        records=KVASIR_CPU,
        read=lambda record: record["runs"][0]["training_seconds"] / 60,
    ),
)


def write_targets() -> Path:
    """Read every target from its newest record and write the list."""
    found = []
    for target in TARGETS:
        sources = sorted(RESULTS.glob(target.records))
        if not sources:
            continue
        record = json.loads(sources[-1].read_text())
        found.append(
            {
                **{field: getattr(target, field) for field in ("name", "what")},
                "value": round(target.read(record), 4),
                **{field: getattr(target, field) for field in ("unit", "better", "must", "aim")},
                **{field: record[field] for field in ("device", "date", "commit")},
                "source": sources[-1].name,
            }
        )
    path = RESULTS / "targets.json"
    path.write_text(json.dumps(found, indent=4) + "\n")
    return path


if __name__ == "__main__":
    print(write_targets().read_text())
