import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from monai_medmamba.data import reading_processes as module
from monai_medmamba.data.reading_processes import ReadingProcesses, can_read_in_processes

pytestmark = pytest.mark.skipif(not can_read_in_processes(), reason="needs a system that forks")
LIKE, COUNT, PLACES = torch.zeros(2, dtype=torch.int64), 20, 6


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 30)


def pair(entry: int) -> torch.Tensor:
    return torch.tensor([entry, os.getpid()])


def children() -> list[str]:
    return [entry for entry in os.listdir("/proc") if entry.isdigit() and stat(entry)[1] == str(os.getpid())]


def stat(process: str) -> tuple[str, str]:
    """The state of a process, and its parent; of one that is gone, nothing."""
    try:
        with open(f"/proc/{process}/stat") as stream:
            state, parent, *_ = stream.read().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return state, parent


@pytest.mark.parametrize("places", [1, PLACES, 100])
def test_every_entry_in_order_and_read_by_others(places):
    entries = list(range(COUNT, 0, -1))
    with ReadingProcesses(pair, entries, LIKE, 3, places) as images:
        found = torch.stack(list(images))
    assert found[:, 0].tolist() == entries
    assert len(set(found[:, 1].tolist()) - {os.getpid()}) == 3
    assert os.getpid() not in found[:, 1]
    assert not children()


def test_no_more_is_read_than_there_are_places(tmp_path):
    def noted(entry: int) -> torch.Tensor:
        (tmp_path / str(entry)).touch()
        return pair(entry)

    with ReadingProcesses(noted, range(COUNT), LIKE, 2, PLACES) as images:
        for taken in (0, 1, 2):
            until = time.monotonic() + 30
            while len(list(tmp_path.iterdir())) < PLACES + taken and time.monotonic() < until:
                time.sleep(0.006)
            time.sleep(0.1)
            assert sorted(int(path.name) for path in tmp_path.iterdir()) == list(range(PLACES + taken))
            next(images)
    assert not children()


def test_an_image_belongs_to_the_caller():
    with ReadingProcesses(pair, range(COUNT), LIKE, 2, 2) as images:
        first = next(images)
        list(images)
        assert first[0] == 0


def test_an_error_comes_at_its_place_and_whole():
    def broken(entry: int) -> torch.Tensor:
        if entry == 7:
            raise OSError("the disk is gone")
        return pair(entry)

    found = []
    with ReadingProcesses(broken, range(COUNT), LIKE, 3, 9) as images, pytest.raises(OSError, match="the disk is gone"):
        found.extend(image[0].item() for image in images)
    assert found == list(range(7))
    assert not children()


def test_what_failed_elsewhere_alone_is_read_here():
    """Also what has another shape: to refuse it is up to the caller."""
    here = os.getpid()

    def moody(entry: int) -> torch.Tensor:
        if os.getpid() != here and entry == 3:
            raise MemoryError
        return torch.zeros(5) if entry == 4 else pair(entry)

    with ReadingProcesses(moody, range(6), LIKE, 2, PLACES) as images:
        found = list(images)
    assert found[3].tolist() == [3, here]
    assert found[4].shape == (5,)
    assert here not in [found[i][1].item() for i in (0, 1, 2, 5)]


def test_the_share_of_a_killed_process_is_read_here():
    here = os.getpid()

    def deadly(entry: int) -> torch.Tensor:
        if entry == 4 and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return pair(entry)

    with ReadingProcesses(deadly, range(COUNT), LIKE, 2, PLACES) as images:
        found = torch.stack(list(images))
    assert found[:, 0].tolist() == list(range(COUNT))
    assert [number for number in range(COUNT) if found[number, 1] == here] == list(range(4, COUNT, 2))


def test_a_process_that_stands_still_is_given_up(monkeypatch, caplog):
    here = os.getpid()
    monkeypatch.setattr(module, "PATIENCE", 0.3)

    def stuck(entry: int) -> torch.Tensor:
        if entry == 2 and os.getpid() != here:
            time.sleep(60)
        return pair(entry)

    with ReadingProcesses(stuck, range(COUNT), LIKE, 2, PLACES) as images:
        found = torch.stack(list(images))
    assert found[:, 0].tolist() == list(range(COUNT))
    assert caplog.text.count("stood still") == 1
    assert not children()


def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    code = f"""
import os, torch
from monai_medmamba.data.reading_processes import ReadingProcesses
images = ReadingProcesses(lambda entry: torch.tensor([os.getpid()]), range(100), torch.zeros(1).long(), 2, 4)
with open({str(tmp_path / "pids")!r}, "w") as stream:
    print(next(images).item(), next(images).item(), file=stream)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    left, until = (tmp_path / "pids").read_text().split(), time.monotonic() + 30
    assert len(left) == 2
    while (left := [one for one in left if stat(one)[0] not in ("", "Z")]) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left


def test_a_daemon_reads_by_itself():
    asked, answer = multiprocessing.get_context("fork"), multiprocessing.get_context("fork").Queue()
    daemon = asked.Process(target=lambda: answer.put(can_read_in_processes()), daemon=True)
    daemon.start()
    assert answer.get(timeout=30) is False
    daemon.join()


def test_bfloat16_comes_as_it_is():
    like = torch.zeros(3, dtype=torch.bfloat16)
    with ReadingProcesses(lambda entry: like + entry / 3, range(5), like, 2, 4) as found:
        for entry, image in enumerate(found):
            assert torch.equal(image, like + entry / 3)


TAKING = """
import time, torch
from monai_medmamba.data import CachedImages
image = torch.zeros(3, 224, 224, dtype=torch.uint8)
def read(item):
    time.sleep(0.006)
    return {{"image": image}}
began, spent = time.monotonic(), time.process_time()
dataset = CachedImages([{{}}] * 129, read, {cached}, 2)
if not {cached}:
    with dataset.reading(range(129), 2) as images:
        list(images(range(129)))
print((time.process_time() - spent) / (time.monotonic() - began))
"""


@pytest.mark.parametrize("cached", [0, 129])
def test_whoever_takes_images_leaves_the_processors_alone(cached):
    """Where the threads of OpenMP spin for a while, as they do if nothing is said."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    environment.pop("OMP_WAIT_POLICY", None)
    script = TAKING.format(cached=cached)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert float(done.stdout) < 0.5
