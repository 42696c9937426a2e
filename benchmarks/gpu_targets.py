"""The targets of a GPU, each a ratio of figures of one record. The published code runs in the best of its modes."""

from collections.abc import Callable
from functools import partial

from target import Reading, Target, best, row, rows

RECORDS = "*-speed-nvidia-*.json"
T = "medmamba_tiny"
BATCH = 64
BF16 = {"dtype": "bfloat16"}
FP32 = {"dtype": "float32", "tf32": False}


def said(found: dict, field: str, unit: str) -> str:
    """Return a row's figure in words."""
    kind = f"{found['dtype']}{', TF32' if found['tf32'] else ''}"
    return f"{found['code']} {found[field]:.4g} {unit} ({found.get('mode') or found['pass']}, {kind})"


def ratio(over: dict, under: dict, field: str, unit: str) -> Reading:
    """Return one row's figure over another's, and both."""
    return Reading(over[field] / under[field], (said(over, field, unit), said(under, field, unit)))


def inference(record: dict, batch: int, published: tuple[str, ...], ours: tuple[str, ...]) -> Reading:
    """Return how many times faster we classify a batch than the published code, each in the best of some modes."""
    wanted = {"what": "inference", "network": T, "batch": batch, **BF16}
    theirs = [best(record, "ms", code="published", mode=mode, **wanted) for mode in published]
    fastest = min(theirs, key=lambda r: r["ms"])
    mine = [best(record, "ms", code="ours", mode=mode, **wanted) for mode in ours if found(record, mode, wanted)]
    if not mine:
        raise LookupError(f"no row of ours in any of the modes {ours}")
    return ratio(fastest, min(mine, key=lambda r: r["ms"]), "ms", "ms")


def found(record: dict, mode: str, wanted: dict) -> bool:
    """Return whether we were timed in a mode."""
    return bool(rows(record, "ms", code="ours", mode=mode, **wanted))


def steps(record: dict, field: str, precision: dict) -> tuple[dict, dict]:
    """Return the published training step and ours, each in the best of its modes."""
    wanted = {"what": "training step", "network": T, "batch": BATCH, **precision}
    return best(record, field, code="published", **wanted), best(record, field, code="ours", **wanted)


def training(record: dict, precision: dict) -> Reading:
    """Return how many times faster our training step is."""
    return ratio(*steps(record, "ms", precision), "ms", "ms")


def memory(record: dict, precision: dict) -> Reading:
    """Return the peak memory of our leanest training step over that of the published one's."""
    theirs, ours = steps(record, "peak_gib", precision)
    return ratio(ours, theirs, "peak_gib", "GiB")


def core(record: dict, half: str, precision: dict) -> Reading:
    """Return how many times faster than the published float32 our core is at stage 1."""
    wanted = {"what": "core", "stage": 1, "batch": BATCH, "pass": half}
    theirs = best(record, "ms", code="published", **wanted, **FP32)
    return ratio(theirs, best(record, "ms", code="ours", backend="cuda", **wanted, **precision), "ms", "ms")


def scaling(record: dict, of: str, mode: str) -> Reading:
    """Return the time per pixel at 896 px over that at 224 px, at equal pixels, in a graph: no host hides it."""
    wanted = {"what": "scaling", "of": of, "mode": mode}
    large, small = (row(record, "ns_per_pixel", size=size, **wanted) for size in (896, 224))
    return Reading(large / small, (f"896 px {large:.4g} ns", f"224 px {small:.4g} ns"))


def feeding(record: dict) -> Reading:
    """Return the images a second of the bundle's training epochs over those of its bare training step."""
    wanted = {"what": "feeding", "network": T, "batch": BATCH, **BF16}
    bundle = row(record, "images_per_second", of="bundle", **wanted)
    step = row(record, "images_per_second", of="step", cudnn_benchmark=False, **wanted)
    return Reading(bundle / step, (f"bundle {bundle:.4g} images/s", f"bare step {step:.4g} images/s"))


def repeats(record: dict) -> Reading:
    """Return the share of our gradients of the core that came out the same, bit by bit, twice."""
    found = rows(record, "repeats_bitwise", code="ours", backend="cuda")
    if not found:
        raise LookupError("no gradients of the backend cuda")
    same = sum(r["repeats_bitwise"] for r in found)
    return Reading(same / len(found), (f"{same} of {len(found)} cases",))


def target(name: str, what: str, must: float, aim: float | None, read: Callable, better: str = "higher") -> Target:
    """Return a target whose figure is a ratio."""
    return Target(f"gpu_{name}", what, "x", better, must, aim, RECORDS, read)


GRAPHS = ("fused+graph", "fused+compile+graph")
AGAINST = "against the published code"
GPU_TARGETS = (
    target(
        "inference",
        f"T, batch 64, bf16: {AGAINST} under autocast",
        6,
        8,
        partial(inference, batch=BATCH, published=("eager", "graph"), ours=("eager", "fused", *GRAPHS)),
    ),
    target("training", f"training step of T, batch 64, bf16: {AGAINST}", 5, 6, partial(training, precision=BF16)),
    target("training_fp32", f"training step of T, batch 64, fp32: {AGAINST}", 2, 3, partial(training, precision=FP32)),
    target(
        "memory",
        f"peak memory of that step, bf16: {AGAINST}",
        round(1 / 3, 4),
        0.25,
        partial(memory, precision=BF16),
        "lower",
    ),
    target(
        "memory_fp32",
        f"peak memory of that step, fp32: {AGAINST}",
        round(1 / 3, 4),
        0.25,
        partial(memory, precision=FP32),
        "lower",
    ),
    target(
        "latency_graph",
        f"T, batch 1, bf16, CUDA graph: {AGAINST} in a CUDA graph",
        3,
        4.5,
        partial(inference, batch=1, published=("graph",), ours=GRAPHS),
    ),
    target(
        "latency_eager",
        f"T, batch 1, bf16, CUDA graph: {AGAINST}, eager",
        20,
        36,
        partial(inference, batch=1, published=("eager",), ours=GRAPHS),
    ),
    target(
        "core_forward",
        "core op, stage 1, forward: bf16 against the published fp32",
        6,
        10,
        partial(core, half="forward", precision=BF16),
    ),
    target(
        "core_backward",
        "core op, stage 1, forward and backward: bf16 against the published fp32",
        5,
        7,
        partial(core, half="forward+backward", precision=BF16),
    ),
    target(
        "core_forward_fp32",
        f"core op, stage 1, forward, fp32: {AGAINST}",
        3,
        5,
        partial(core, half="forward", precision=FP32),
    ),
    target(
        "core_backward_fp32",
        f"core op, stage 1, forward and backward, fp32: {AGAINST}",
        2.5,
        4,
        partial(core, half="forward+backward", precision=FP32),
    ),
    target(
        "scaling",
        "T, time per pixel at equal pixels, bf16, inference: 896 against 224 px",
        1.15,
        1.05,
        partial(scaling, of="inference", mode="fused+graph"),
        "lower",
    ),
    target(
        "scaling_training",
        "T, time per pixel at equal pixels, bf16, training step: 896 against 224 px",
        1.15,
        1.05,
        partial(scaling, of="training step", mode="graph"),
        "lower",
    ),
    target("feeding", "training epochs of T in the bundle, bf16: images/s against the bare step", 0.8, 0.9, feeding),
    target("repeatable", "core op: gradients that repeat bit by bit, share of cases", 1, None, repeats),
)
