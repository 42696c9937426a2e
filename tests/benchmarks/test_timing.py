import time

import pytest
import torch
from timing import at_most, capture, milliseconds, milliseconds_in_turn, peak_memory

CPU = torch.device("cpu")


def test_takes_the_median():
    pauses = iter([0.0, 0.0, 0.0, 0.001, 0.02, 0.2])
    assert 15 < milliseconds(lambda: time.sleep(next(pauses)), CPU, repeats=3) < 100


def test_takes_turns():
    called = []
    runs = {name: lambda name=name: called.append(time.sleep(0.002) or name) for name in "ab"}
    took = milliseconds_in_turn(runs, repeats=2)
    assert "".join(called) == "aabbaabb"
    assert min(took.values()) >= 2


def test_as_many_repeats_as_time_allows():
    calls = []
    milliseconds(lambda: calls.append(time.sleep(0.002)), CPU, seconds=0.03)
    assert 3 + 2 + 5 <= len(calls) <= 3 + 2 + 15


def test_stops_what_takes_too_long_even_if_the_error_is_swallowed_once():
    def swallow_one():
        try:
            time.sleep(5)
        except TimeoutError:
            time.sleep(5)

    with pytest.raises(TimeoutError, match=r"more than 0\.05 s"), at_most(0.05):
        swallow_one()


def test_what_is_quick_goes_on():
    with at_most(5):
        pass
    time.sleep(0.01)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_without_a_gpu():
    with pytest.raises(RuntimeError, match="needs a CUDA device"):
        capture(lambda: None)
    assert peak_memory(lambda: None, CPU) == {}


@pytest.mark.gpu
def test_a_captured_call_computes_anew():
    x = torch.ones(3, device="cuda")
    replay = capture(lambda: 2 * x)
    x.fill_(5)
    assert replay().tolist() == [10, 10, 10]
    device = torch.device("cuda")
    kept = torch.empty(2**27, dtype=torch.uint8, device=device)
    peak = peak_memory(lambda: torch.empty(2**28, dtype=torch.uint8, device=device), device, others=kept.numel())
    assert peak["peak_gib"] >= 0.25
