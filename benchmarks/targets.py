"""The state of every target that can be read from the records: ``python benchmarks/targets.py``.

Each target takes one figure from the newest record that holds it. The list goes to ``benchmarks/results/targets.json``;
the scripts that write records write it again.
"""

import json
from fnmatch import fnmatch
from pathlib import Path

from cpu_rows import PUBLISHED
from export_targets import EXPORT_TARGETS
from gpu_targets import GPU_TARGETS
from target import Reading, Target, row, rows
from volume_targets import VOLUME_TARGETS

RESULTS = Path(__file__).resolve().parent / "results"
IMAGE = {"what": "inference, batch 1, 224 px"}


def faster(slow: float, quick: float) -> Reading:
    """Return how many times faster one time is than another."""
    return Reading(slow / quick, (f"{slow:.4g} ms", f"{quick:.4g} ms"))


def stage_one(record: dict) -> Reading:
    """Return how many times faster the chunked scan is than the reference at stage 1."""
    return faster(*(row(record, "forward_ms", what="scan", stage=1, backend=name) for name in ("reference", "chunked")))


def tiny(record: dict, backend: str) -> float:
    """Return the time of one image at 224 px through MedMamba-T."""
    return row(record, "ms", **IMAGE, network=f"medmamba_tiny ({backend})")


def against_resnet50(record: dict) -> Reading:
    """Return the time of one image through MedMamba-T over that through ResNet-50."""
    peers = [r["ms"] for r in rows(record, "ms", **IMAGE) if "resnet50" in r["network"]]
    if not peers:
        raise LookupError("no row of resnet50")
    ours = min(row(record, "ms", network=f"medmamba_tiny (cpu{mode})", **IMAGE) for mode in ("", ", fused"))
    return Reading(ours / min(peers), (f"{ours:.4g} ms", f"{min(peers):.4g} ms"))


def nano(record: dict) -> Reading:
    """Return the time of one image through the smallest network in float32, in its fastest mode."""
    modes = ("fused", "fused, compiled")
    ms, mode = min((row(record, "ms", **IMAGE, network=f"medmamba_nano (cpu, {mode})"), mode) for mode in modes)
    return Reading(ms, (mode,))


def training(record: dict, backend: str) -> float:
    """Return the time of a training step of MedMamba-T at 64 px, batch 8."""
    return row(record, "ms", what="training step, tiny, batch 8, 64 px", backend=backend)


def per_pixel(record: dict) -> Reading:
    """Return the time per pixel at 896 px against that at 224 px."""
    large, small = (row(record, "ns_per_pixel", what="scaling, tiny, batch 1", size=size) for size in (896, 224))
    return Reading(large / small, (f"{large:.4g} ns", f"{small:.4g} ns"))


CPU, KVASIR_CPU = "*-speed-cpu-*.json", "*-kvasir-seg-patches-cpu.json"
CPU_TARGETS = (
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
        what="T, batch 1, 224 px: cpu against the published code on its reference recurrence",
        unit="x",
        better="higher",
        must=20,
        aim=30,
        records=CPU,
        read=lambda record: faster(tiny(record, PUBLISHED), tiny(record, "cpu")),
    ),
    Target(
        name="cpu_inference_own_reference",
        what="the same against our backend reference, the recurrence without the published code's copies",
        unit="x",
        better="higher",
        must=20,
        aim=30,
        records=CPU,
        read=lambda record: faster(tiny(record, "reference"), tiny(record, "cpu")),
    ),
    Target(
        name="cpu_against_resnet50",
        what="T, batch 1, 224 px, float32: cpu against resnet50",
        unit="x",
        better="lower",
        must=1.25,
        aim=1.0,
        records=CPU,
        read=against_resnet50,
    ),
    Target(
        name="cpu_training",
        what="training step of T, 64 px, batch 8: cpu against the published code on its reference recurrence",
        unit="x",
        better="higher",
        must=8,
        aim=15,
        records=CPU,
        read=lambda record: faster(training(record, PUBLISHED), training(record, "cpu")),
    ),
    Target(
        name="cpu_training_own_reference",
        what="the same against our backend reference, the recurrence without the published code's copies",
        unit="x",
        better="higher",
        must=8,
        aim=15,
        records=CPU,
        read=lambda record: faster(training(record, "reference"), training(record, "cpu")),
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
        read=nano,
    ),
    Target(
        name="kvasir_patches_cpu",
        what="Kvasir-SEG patches, nano at 64 px trained on 2 cores: test accuracy",
        unit="",
        better="higher",
        must=0.90,
        aim=None,
        records=KVASIR_CPU,
        read=lambda record: Reading(record["mean"]["accuracy"]),
    ),
    Target(
        name="kvasir_patches_cpu_minutes",
        what="Kvasir-SEG patches, nano at 64 px trained on 2 cores: time of training",
        unit="min",
        better="lower",
        must=15,
        aim=None,
        records=KVASIR_CPU,
        read=lambda record: Reading(record["runs"][0]["training_seconds"] / 60),
    ),
)

TARGETS = (*CPU_TARGETS, *EXPORT_TARGETS, *GPU_TARGETS, *VOLUME_TARGETS)


def newest(target: Target, folder: Path) -> tuple[Path, dict, Reading] | None:
    """Return the newest record that holds a target, its content and the figure; None if there is none."""
    for path in sorted(folder.glob(target.records), reverse=True):
        record = json.loads(path.read_text())
        try:
            return path, record, target.read(record)
        except LookupError:
            continue
    return None


def write_targets(folder: Path = RESULTS) -> Path:
    """Read every target from the newest record that holds it and write the list."""
    listed = []
    for target in TARGETS:
        if (found := newest(target, folder)) is None:
            continue
        source, record, reading = found
        listed.append(
            {
                **{field: getattr(target, field) for field in ("name", "what")},
                "value": float(f"{reading.value:.4g}") if abs(reading.value) < 1 else round(reading.value, 4),
                **{field: getattr(target, field) for field in ("unit", "better", "must", "aim")},
                **{field: record[field] for field in ("device", "date", "commit")},
                "source": source.name,
            }
        )
    path = folder / "targets.json"
    path.write_text(json.dumps(listed, indent=4) + "\n")
    return path


def print_targets(record: dict, name: str) -> None:
    """Print the targets that a record with this file name may hold, each with the figures it was made of."""
    for target in TARGETS:
        if not fnmatch(name, target.records):
            continue
        try:
            reading = target.read(record)
        except LookupError as error:
            print(f"{target.name:28} not measured: {error}")
            continue
        state = target.state(reading.value)
        wanted = f"must {target.must:g}, aim {target.aim if target.aim is None else format(target.aim, 'g')}"
        print(f"{target.name:28} {reading.value:8.4g} {target.unit:3} {state:6} ({wanted}): {', '.join(reading.parts)}")


if __name__ == "__main__":
    print(write_targets().read_text())
