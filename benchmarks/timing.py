"""Time a call, capture it in a CUDA graph, take its peak memory."""

import gc
import itertools
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import torch

Run = Callable[[], object]


def milliseconds(
    run: Run, device: torch.device, *, repeats: int | None = None, warm_up: int = 3, seconds: float = 0.25
) -> float:
    """Return the median time of a call, by device events on a GPU.

    Without ``repeats`` there are as many as fit into ``seconds``, at least 5 and at most 50.
    """
    for _ in range(warm_up):
        run()
    if repeats is None:
        once = max(_times(run, device, 2))
        repeats = min(50, max(5, int(1e3 * seconds / once)))
    return round(statistics.median(_times(run, device, repeats)), 4)


def milliseconds_in_turn(runs: dict[str, Run], *, repeats: int) -> dict[str, float]:
    """Return the median time of each call on a CPU, round by round: a machine whose speed drifts is fair to all.

    Each timed call follows an untimed one of the same, which brings its weights back into the caches.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            run()
            times[name] += _times(run, torch.device("cpu"), 1)
    return {name: round(statistics.median(found), 4) for name, found in times.items()}


def _times(run: Run, device: torch.device, repeats: int) -> list[float]:
    if device.type != "cuda":
        marks = [time.perf_counter()]
        for _ in range(repeats):
            run()
            marks.append(time.perf_counter())
        return [1e3 * (after - before) for before, after in itertools.pairwise(marks)]
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(repeats)]
    torch.cuda.synchronize(device)
    for start, end in events:
        start.record()
        run()
        end.record()
    torch.cuda.synchronize(device)
    return [start.elapsed_time(end) for start, end in events]


def capture(run: Run) -> Run:
    """Return a call that replays ``run`` from a CUDA graph and returns the tensors it filled."""
    if not torch.cuda.is_available():
        raise RuntimeError("a CUDA graph needs a CUDA device")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        filled = run()

    def replay() -> object:
        graph.replay()
        return filled

    return replay


def allocated(device: torch.device) -> int:
    """Return the bytes that tensors hold; 0 on a CPU."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0


def peak_memory(run: Run, device: torch.device, others: int = 0) -> dict[str, float]:
    """Return the most that tensors held during a call, ``peak_gib``; none on a CPU.

    What was alive before counts, but for the bytes of ``others``: what earlier cases have left behind.
    """
    if device.type != "cuda":
        return {}
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    torch.cuda.synchronize(device)
    return {"peak_gib": round((torch.cuda.max_memory_allocated(device) - others) / 2**30, 3)}


def release() -> None:
    """Give back what nothing refers to any more, cached device memory included."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError inside the block once it has run that long, and every second after that; main thread only.

    Once is not enough: a compiler that tries several ways takes the error for the failure of one.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
