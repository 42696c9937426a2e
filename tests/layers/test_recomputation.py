import torch
from torch import nn

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
