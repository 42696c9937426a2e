"""Section ``scaling``: the time per pixel as images grow and batches shrink, at equal pixels."""

from functools import partial

from cases import Case
from suite import Suite
from timing import allocated, capture, milliseconds, peak_memory, release


def figures(suite: Suite, kind: str, case: Case, size: int) -> dict:
    """Return the time of a call, its time per pixel, and its peak memory."""
    release()
    others = allocated(suite.device)
    network, x = suite.build(case.code, case.network), suite.images(case, size)
    if kind == "inference":
        run = suite.inference(network, case, x)
        memory = peak_memory(run, suite.device, others)
    else:
        run = suite.training_step(network, case, x)
        memory = peak_memory(run, suite.device, others)  # not of a graph: its memory is never given back
        run = capture(run) if case.mode == "graph" else run
    took = milliseconds(run, suite.device, repeats=suite.scale.repeats)
    per_pixel = round(1e6 * took / (case.batch * size**2), 4)
    return {"ms": took, "ns_per_pixel": per_pixel, **memory}


def measure(suite: Suite) -> None:
    """Measure the section."""
    # In graphs: a host that launches slowly would hide what the pixels cost.
    modes = ("fused+graph", "graph") if suite.device.type == "cuda" else ("fused", "eager")
    for kind, mode in zip(("inference", "training step"), modes, strict=True):
        for size, batch in suite.scale.scaling:
            case = Case("ours", "medmamba_tiny", batch, "bf16", mode)
            what = suite.fields("scaling", case, size=size) | {"of": kind}
            suite.record.row(what, partial(figures, suite, kind, case, size))
