import pytest
import torch
import torch.distributed as dist

from testing.processes import in_processes


def _sum(rank, offset):
    number = torch.tensor(rank + offset)
    dist.all_reduce(number)
    return int(number)


def _fail(rank):
    raise ValueError(f"from process {rank}")


def test_processes_work_together():
    assert in_processes(2, _sum, 10) == [21, 21]


def test_an_error_arrives():
    with pytest.raises(Exception, match="from process"):
        in_processes(1, _fail)
