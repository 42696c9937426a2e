"""Section ``scaling``: the time per pixel as images grow and batches shrink, at equal pixels."""

from functools import partial

from cases import Case
from suite import Suite
from timing import milliseconds, peak_memory, release


def figures(suite: Suite, kind: str, case: Case, size: int) -> dict:
    """Return the time of a call, its time per pixel, and its peak memory."""
    release()
    network, x = suite.build(case.code, case.network), suite.images(case, size)
    run = (suite.inference if kind == "inference" else suite.training_step)(network, case, x)
    took = milliseconds(run, suite.device, repeats=suite.scale.repeats)
    per_pixel = round(1e6 * took / (case.batch * size**2), 4)
    return {"ms": took, "ns_per_pixel": per_pixel, **peak_memory(run, suite.device)}


def measure(suite: Suite) -> None:
    """Measure the section."""
    fused = "fused+graph" if suite.device.type == "cuda" else "fused"
    for kind, mode in (("inference", fused), ("training step", "eager")):
        for size, batch in suite.scale.scaling:
            case = Case("ours", "medmamba_tiny", batch, "bf16", mode)
            what = suite.fields("scaling", case, size=size) | {"of": kind}
            suite.record.row(what, partial(figures, suite, kind, case, size))
