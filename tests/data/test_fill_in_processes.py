import os
import signal
import time

import pytest
import torch

from monai_medmamba.data import fill_in_processes as module
from monai_medmamba.data.fill_in_processes import (
    EMPTY,
    FAILED,
    FILLED,
    can_fill_in_processes,
    fill_in_processes,
    shared_empty,
)

pytestmark = pytest.mark.skipif(not can_fill_in_processes(), reason="needs a system that forks")
COUNT = 20


@pytest.fixture
def room():
    return shared_empty((COUNT,), torch.int64), shared_empty((COUNT,), torch.uint8)


def children():
    return [entry for entry in os.listdir("/proc") if entry.isdigit() and parent_of(entry) == os.getpid()]


def parent_of(process: str) -> int:
    try:
        with open(f"/proc/{process}/stat") as stream:
            return int(stream.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_every_empty_entry_is_filled_by_another_process(room):
    processes, states = room
    states[3] = FILLED
    fill_in_processes(lambda i: processes[i].fill_(os.getpid()), states, 3)
    assert states.tolist() == [FILLED] * COUNT
    assert processes[3] == 0
    assert len(set(processes.tolist()) - {0}) == 3
    assert os.getpid() not in processes.tolist()


def test_an_error_ends_the_work_and_is_left_to_the_caller(room):
    values, states = room

    def fill(i: int) -> None:
        if i == 1:
            raise ValueError("broken")
        if i > 1:
            time.sleep(60)
        values[i] = 1

    began = time.monotonic()
    fill_in_processes(fill, states, 4)
    assert time.monotonic() - began < 30
    assert states[1] == FAILED
    assert states[5] == EMPTY
    assert not children()


def test_a_killed_process_leaves_its_entries(room):
    values, states = room

    def fill(i: int) -> None:
        if i == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        values[i] = 1

    fill_in_processes(fill, states, 2)
    assert states.tolist() == [FILLED if i < 4 or i % 2 else EMPTY for i in range(COUNT)]


def test_processes_that_stand_still_are_given_up(room, monkeypatch, caplog):
    values, states = room
    monkeypatch.setattr(module, "PATIENCE", 0.3)

    def fill(i: int) -> None:
        if i == 2:
            time.sleep(60)
        values[i] = 1

    fill_in_processes(fill, states, 2)
    assert states[2] == EMPTY
    assert "stood still" in caplog.text
    assert not children()


def test_progress_is_shown(room):
    _, states = room
    shown: list[int] = []
    fill_in_processes(lambda _: time.sleep(0.05), states, 2, shown.append)
    assert shown == sorted(shown)
    assert 0 < shown[-1] <= COUNT
