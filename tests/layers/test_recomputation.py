import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from monai_medmamba.layers.recomputation import recomputed


def counted(calls):
    def function(x):
        calls.append(x.shape)
        return x.sigmoid().log()

    return function


def test_computes_again_in_training_alone():
    for training, expected in ((True, 2), (False, 1)):
        calls, x = [], torch.randn(3, requires_grad=True)
        recomputed(training, counted(calls), x).sum().backward()
        assert len(calls) == expected
        torch.testing.assert_close(x.grad, torch.sigmoid(-x.detach()))


def test_parameters_used_inside_get_their_gradients():
    layer, x = nn.Linear(4, 4), torch.randn(2, 4)
    recomputed(True, lambda x: layer(x).square(), x).sum().backward()
    grad = layer.weight.grad.clone()
    layer.zero_grad()
    layer(x).square().sum().backward()
    assert torch.equal(grad, layer.weight.grad)


class Products(TorchDispatchMode):
    """Counts the matrix products that really run."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten.mm.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kept", [(), (torch.ops.aten.mm.default,)])
def test_what_is_kept_runs_once(kept):
    x, weight = torch.randn(2, 4, requires_grad=True), torch.randn(4, 4)
    with Products() as products:
        recomputed(True, lambda x: (x.sin() @ weight).square(), x, kept=kept).sum().backward()
    assert products.count == (2 if kept else 3)  # forward, backward; and again


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_computes_again_when_compiled(device):
    graphs = []
    run = torch.compile(
        lambda x: recomputed(True, lambda x: x.sin().exp(), x),
        fullgraph=True,
        backend=lambda graph, _: graphs.append(graph.code) or graph,
    )
    run(torch.randn(3, requires_grad=True, device=device))
    assert "checkpoint" in graphs[0]


def test_running_statistics_change_once():
    norms = [nn.BatchNorm1d(3), nn.BatchNorm1d(3)]
    x = torch.randn(8, 3, requires_grad=True)
    for norm, again in zip(norms, (False, True), strict=True):
        recomputed(again, lambda x, norm=norm: norm(x).sin(), x, statistics_of=norm).sum().backward()
    assert norms[1].num_batches_tracked == 1
    for name, expected in norms[0].named_buffers():
        assert torch.equal(norms[1].get_buffer(name), expected), name
