import copy

import pytest
import torch
from torch import nn

from monai_medmamba.distributed import JoinedBatchNorm, join_batchnorm
from monai_medmamba.networks import medmamba_nano
from testing.processes import in_processes


def norm_and_input(momentum=0.1):
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(3, momentum=momentum).double()
    nn.init.uniform_(norm.weight)
    return nn.Sequential(norm), torch.randn(5, 3, 4, 6, dtype=torch.float64) * 3 + 7


def _pass(rank, momentum):
    network, x = norm_and_input(momentum)
    join_batchnorm(network, torch.device("cpu"))
    share = x[rank::2].requires_grad_()
    for _ in range(2):
        share.grad = None
        result = network(share)
        result.pow(3).sum().backward()
    return result.detach(), share.grad, network.state_dict()


@pytest.mark.parametrize("momentum", [0.1, None])
def test_matches_one_process(momentum):
    network, x = norm_and_input(momentum)
    x.requires_grad_()
    for _ in range(2):
        x.grad = None
        result = network(x)
        result.pow(3).sum().backward()
    for rank, (found, gradient, state) in enumerate(in_processes(2, _pass, momentum)):
        torch.testing.assert_close(found, result[rank::2].detach())
        torch.testing.assert_close(gradient, x.grad[rank::2])
        for name, expected in network.state_dict().items():
            torch.testing.assert_close(state[name], expected)


def test_alone_it_is_the_ordinary_one():
    network, x = norm_and_input()
    joined = join_batchnorm(copy.deepcopy(network), torch.device("cpu"))
    assert isinstance(joined[0], JoinedBatchNorm)
    assert torch.equal(joined(x), network(x))
    assert torch.equal(joined.eval()(x), network.eval()(x))


def test_every_one_of_a_network_is_joined_and_the_names_stay():
    network = medmamba_nano(num_classes=2)
    names, parameters = list(network.state_dict()), [id(p) for p in network.parameters()]
    join_batchnorm(network, torch.device("cpu"))
    kinds = {type(m) for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    assert kinds == {JoinedBatchNorm}
    assert list(network.state_dict()) == names
    assert [id(p) for p in network.parameters()] == parameters


def test_on_a_gpu_it_is_torchs():
    network = join_batchnorm(nn.Sequential(nn.BatchNorm2d(3)), torch.device("cuda"))
    assert isinstance(network[0], nn.SyncBatchNorm)


def test_invalid_arguments():
    with pytest.raises(ValueError, match="expected a batch of maps"):
        JoinedBatchNorm(3)(torch.zeros(3))
