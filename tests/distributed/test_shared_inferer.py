import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from torch import nn

from monai_medmamba.distributed import SharedInferer
from testing.processes import in_processes


class Counting(nn.Module):
    """Doubles its input and remembers how much it was given."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def forward(self, x):
        self.seen += len(x)
        return 2 * x.flatten(1)


def _infer(rank, total):
    network = Counting()
    x = MetaTensor(torch.arange(3 * total).float().view(total, 3, 1))
    return SharedInferer(SimpleInferer())(x, network), network.seen


@pytest.mark.parametrize("total", [1, 4, 5])
def test_all_processes_get_everything_in_order(total):
    expected = 2 * torch.arange(3 * total).float().view(total, 3)
    for found, seen in in_processes(2, _infer, total):
        assert torch.equal(found, expected)
        assert seen == -(-total // 2)


def test_alone_it_is_the_inferer():
    network = Counting()
    assert torch.equal(SharedInferer(SimpleInferer())(torch.ones(3, 2), network), torch.full((3, 2), 2.0))
    assert network.seen == 3
