import torch
from torch import nn

from monai_medmamba.layers.initialization import init_convolutions_and_linears, init_log_decay, init_step_bias


def test_steps_are_log_uniform_between_their_bounds():
    bias = torch.empty(4, 20000)
    init_step_bias(bias, 0.001, 0.1)
    log_step = nn.functional.softplus(bias).log10()
    assert -3.001 < log_step.min() < -2.99
    assert -1.01 < log_step.max() < -0.999
    assert abs(log_step.mean() + 2) < 0.01


def test_steps_are_raised_to_the_floor():
    bias = torch.empty(1000)
    init_step_bias(bias, 1e-8, 1e-7, floor=1e-4)
    torch.testing.assert_close(nn.functional.softplus(bias), torch.full((1000,), 1e-4))


def test_decay_rates_are_one_to_n():
    log_decay = torch.empty(4, 3, 5)
    init_log_decay(log_decay)
    torch.testing.assert_close(log_decay.exp(), torch.arange(1.0, 6).expand(4, 3, 5))


def test_each_kind_of_layer_starts_its_way():
    net = nn.Sequential(nn.Conv2d(64, 128, 3), nn.Linear(500, 500), nn.LayerNorm(8), nn.Conv3d(16, 64, 3))
    nn.init.ones_(net[2].bias)
    init_convolutions_and_linears(net)
    assert abs(net[0].weight.std().item() / (2 / (128 * 9)) ** 0.5 - 1) < 0.02
    assert abs(net[1].weight.std().item() / 0.02 - 1) < 0.02
    assert net[1].bias.abs().max() == 0
    assert net[2].bias.abs().max() == 0
    assert abs(net[3].weight.std().item() / (2 / (64 * 27)) ** 0.5 - 1) < 0.02
