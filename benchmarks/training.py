"""Sections of a training step with its optimiser, eager and in a CUDA graph, and of what torch.compile makes of it."""

from collections.abc import Iterable
from functools import partial

from cases import Case, compiled_cases, compiled_peer_cases, training_cases
from suite import Suite
from timing import allocated, at_most, capture, milliseconds, peak_memory, release

COMPILE_SECONDS = 240  # that a row with its compilation may take
GRACE = 30  # seconds that one may go on once no row may begin any more


def step_figures(suite: Suite, case: Case) -> dict:
    """Return a training step's time and peak memory: parameters, optimiser's state and activations."""
    release()
    others = allocated(suite.device)
    step = suite.training_step(suite.build(case.code, case.network), case, suite.images(case))
    step()  # makes the optimiser's state
    memory = peak_memory(step, suite.device, others)  # not of a graph: its memory is never given back
    run = capture(step) if case.mode.endswith("graph") else step
    return {"ms": milliseconds(run, suite.device, repeats=suite.scale.repeats), **memory}


def forward_figures(suite: Suite, case: Case) -> dict:
    """Return the time of a forward pass."""
    release()
    run = suite.inference(suite.build(case.code, case.network), case, suite.images(case))
    return {"ms": milliseconds(run, suite.device, repeats=suite.scale.repeats)}


def measure(suite: Suite) -> None:
    """Measure the eager steps."""
    for case in training_cases(suite.scale, published=suite.published is not None):
        what = suite.fields("training step", case, size=suite.scale.size)
        suite.record.row(what, partial(step_figures, suite, case))


def compiled(suite: Suite) -> None:
    """Measure what torch.compile makes of our network."""
    _compiled(suite, compiled_cases(suite.scale))


def compiled_peers(suite: Suite) -> None:
    """Measure what torch.compile makes of the peers."""
    _compiled(suite, compiled_peer_cases(suite.scale))


def _compiled(suite: Suite, cases: Iterable[tuple[str, Case]]) -> None:
    for kind, case in cases:

        def figures(kind: str = kind, case: Case = case) -> dict:
            left = suite.record.seconds - suite.record.elapsed()
            with at_most(min(COMPILE_SECONDS, left + GRACE)):
                return step_figures(suite, case) if kind == "training" else forward_figures(suite, case)

        what = "training step" if kind == "training" else "inference"
        suite.record.row(suite.fields(what, case, size=suite.scale.size), figures)
