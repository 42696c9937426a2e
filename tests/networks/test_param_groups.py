"""Which parameters are decayed."""

from torch import nn

from monai_medmamba.networks import MedMamba, param_groups


def test_parameter_groups_hold_every_parameter_once():
    net = MedMamba(num_classes=2, depths=(1, 1), dims=(8, 16))
    decayed, free = param_groups(net, 0.1)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert sorted(map(id, decayed["params"] + free["params"])) == sorted(map(id, net.parameters()))
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    kinds = {names[id(parameter)].rsplit(".", 1)[-1] for parameter in decayed["params"]}
    assert kinds == {"weight", "x_proj_weight", "dt_weight"}
    assert all(parameter.dim() > 1 for parameter in decayed["params"])


def test_biases_and_normalisation_of_any_network_are_not_decayed():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    decayed, free = param_groups(net, 0.1)
    assert [id(p) for p in decayed["params"]] == [id(net[0].weight), id(net[2].weight)]
    assert len(free["params"]) == 4
