import copy
import gc
import subprocess
import sys

import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from monai_medmamba.networks import GraphedTraining, MedMamba, graphed_training


def small():
    torch.manual_seed(0)
    return MedMamba(num_classes=3, depths=(1, 1), dims=(16, 32), drop_path_rate=0.0)


def test_on_the_cpu_it_is_the_network():
    network = small().train()
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(GraphedTraining(copy.deepcopy(network))(MetaTensor(x)), network(x))


def test_the_weights_stay_the_networks_own():
    network = small()
    assert {id(p) for p in GraphedTraining(network).parameters()} == {id(p) for p in network.parameters()}


@pytest.mark.gpu
@pytest.mark.parametrize("amp", [False, True])
def test_trains_as_the_network_does(amp):
    batches = [torch.randn(size, 3, 64, 64, device="cuda") for size in (4, 4, 3, 4)]  # one of another size
    ended = []
    for graphed in (False, True):
        network = small().cuda().train()
        run: nn.Module = GraphedTraining(network) if graphed else network
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for x in batches:
            optimizer.zero_grad()
            with torch.autocast("cuda", torch.bfloat16, enabled=amp):
                loss = run(x).float().square().mean()
            loss.backward()
            optimizer.step()
        run.eval()
        ended.append([*network.state_dict().values(), run(batches[0]).detach()])
    for found, expected in zip(*reversed(ended), strict=True):
        torch.testing.assert_close(found, expected, rtol=2e-2 if amp else 1e-3, atol=1e-3 if amp else 1e-4)


@pytest.mark.gpu
def test_recording_changes_no_statistics_and_no_random_numbers():
    network = small().cuda()
    GraphedTraining(network).train()._record(torch.randn(2, 3, 64, 64, device="cuda"), None)
    for name, buffer in network.state_dict().items():
        if "running_mean" in name or "num_batches" in name:
            assert not buffer.any(), name
    assert all(parameter.grad is None for parameter in network.parameters())


def batch():
    return torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1)).cuda()


def trained(network: nn.Module, run: nn.Module, steps: int, start: dict | None = None) -> dict:
    """Take some steps, after those of a saved state if there is one, and return the state."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    if start is not None:
        network.load_state_dict(start["network"])
        optimizer.load_state_dict(start["optimizer"])
    run.train()
    for _ in range(steps):
        optimizer.zero_grad()
        run(batch()).square().mean().backward()
        optimizer.step()
    return copy.deepcopy({"network": network.state_dict(), "optimizer": optimizer.state_dict()})


@pytest.mark.gpu
def test_resumes_in_graphs():
    whole = small().cuda()
    straight = trained(whole, GraphedTraining(whole), 6)
    first, second = small().cuda(), small().cuda()
    cut = trained(first, GraphedTraining(first), 3)
    resumed = trained(second, GraphedTraining(second), 3, cut)
    for name, expected in straight["network"].items():
        torch.testing.assert_close(resumed["network"][name], expected, rtol=1e-3, atol=1e-4, msg=name)


def test_without_graphs_there_is_nothing_to_release():
    run = GraphedTraining(small().eval())
    x = torch.randn(2, 3, 32, 32)
    expected = run(x)
    run.release()
    assert torch.equal(run(x), expected)


class Graph:
    def __init__(self):
        self.living = True

    def reset(self):
        self.living = False


def test_release_ends_the_graphs(monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    run, graphs = GraphedTraining(small()), [Graph(), Graph()]
    run._graphs += graphs
    run.release()
    assert not any(graph.living for graph in graphs)
    assert not run._graphs


END = """
import torch
from torch import nn
from monai_medmamba.networks import GraphedTraining, graphed_training

class Graph:
    def reset(self):
        print("reset")

held = Graph()
run = GraphedTraining(nn.Linear(2, 2))
run._graphs += [held, Graph()]
graphed_training._RECORDED.update(run._graphs)
torch.cuda.synchronize = lambda: print("waited")
del run
print("collected")
"""


def test_where_a_training_breaks_off_the_graphs_end_with_the_interpreter():
    """Nobody calls ``release`` then. Those that a result still holds stay until that end, the others go before."""
    done = subprocess.run([sys.executable, "-c", END], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["collected", "waited", "reset"]


@pytest.mark.gpu
def test_a_result_goes_backward_when_the_wrapper_is_gone():
    network = small().cuda().train()
    result = GraphedTraining(network)(batch())
    gc.collect()
    result.square().mean().backward()
    found = [parameter.grad.clone() for parameter in network.parameters()]
    network.zero_grad()
    network(batch()).square().mean().backward()
    for parameter, gradient in zip(network.parameters(), found, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
def test_released_graphs_are_gone_and_recorded_again():
    """While results of a step, which autograd ties to the graphs, are still held."""
    network = small().cuda().train()
    run = GraphedTraining(network)
    others = torch.cuda.CUDAGraph()
    with torch.cuda.graph(others):
        held = torch.ones(2, device="cuda") + 1
    result = run(batch())
    result.square().mean().backward()
    before = [parameter.grad.clone() for parameter in network.parameters()]
    assert len(run._graphs) == 2
    graphs = list(run._graphs)
    assert all(graph in graphed_training._RECORDED for graph in graphs)
    run.release()
    for graph in graphs:
        with pytest.raises(RuntimeError):
            graph.replay()
    others.replay()
    assert held.tolist() == [2, 2]
    network.zero_grad()
    run(batch()).square().mean().backward()
    assert len(run._graphs) == 2
    for parameter, expected in zip(network.parameters(), before, strict=True):
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-3, atol=1e-4)
