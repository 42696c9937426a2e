import torch
from ignite.engine import Engine
from torch import nn

from monai_medmamba.distributed import StatisticsAverage
from testing.processes import in_processes


def _average(rank):
    network = nn.BatchNorm2d(2)
    network.running_mean.fill_(rank)
    network.num_batches_tracked.fill_(5)
    evaluator = Engine(lambda engine, batch: None)
    StatisticsAverage(network).attach(evaluator)
    evaluator.run([0])
    return network.state_dict()


def test_statistics_are_averaged_and_counts_stay():
    for state in in_processes(2, _average):
        assert state["running_mean"].tolist() == [0.5, 0.5]
        assert state["running_var"].tolist() == [1.0, 1.0]
        assert state["num_batches_tracked"] == 5


def test_alone_nothing_changes():
    network = nn.BatchNorm2d(2)
    StatisticsAverage(network)(Engine(lambda engine, batch: None))
    assert torch.equal(network.running_mean, torch.zeros(2))
