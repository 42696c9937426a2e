import logging

import pytest
import torch
import torch.distributed as dist
from torch import nn

from monai_medmamba.distributed import enter_processes, leave_processes, process_count, process_device, process_rank
from monai_medmamba.networks import GraphedTraining


def test_what_torchrun_says(monkeypatch):
    for name, value in {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    assert (process_rank(), process_count(), process_count(on_this_node=True)) == (5, 8, 4)


def test_each_process_has_a_gpu_or_the_cure_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert process_device() == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ValueError, match="lower --nproc_per_node to 2"):
        process_device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert process_device() == torch.device("cpu")


def test_without_torchrun_the_cure_is_named(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match="start with `torchrun"):
        enter_processes(torch.device("cpu"))


def test_enters_and_leaves(monkeypatch, unused_port):
    values = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(unused_port)}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    enter_processes(torch.device("cpu"))
    assert dist.get_backend() == "gloo"
    released = []
    monkeypatch.setattr(GraphedTraining, "release", lambda self: released.append((self, dist.is_initialized())))
    graphed = GraphedTraining(nn.Linear(2, 2))
    leave_processes(nn.Sequential(graphed))
    assert released == [(graphed, True)]  # before the group is left
    assert not dist.is_initialized()
    assert logging.root.manager.disable == logging.NOTSET


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
