import pytest
import torch
from torch import nn

from monai_medmamba.layers import ss_conv_ssm, ss_nd
from monai_medmamba.layers.small_maps import convolve_as_product, convolve_each_channel, is_small
from monai_medmamba.networks import MedMamba, compile_network


class Told(nn.Module):
    def forward(self, x):
        return x + int(is_small(x, training=False))


@pytest.mark.parametrize(("conv", "space"), [(nn.Conv2d, (5, 7)), (nn.Conv3d, (3, 1, 4))])
@pytest.mark.parametrize("form", [convolve_as_product, convolve_each_channel])
def test_matches_the_convolution(form, conv, space):
    each = form is convolve_each_channel
    layer = conv(6, 6, 3, padding=1, groups=6 if each else 1, dtype=torch.float64)
    x = torch.randn(2, *space, 6, dtype=torch.float64)
    torch.testing.assert_close(form(layer, x), layer(x.movedim(-1, 1)).movedim(1, -1))


def test_small_maps_on_a_cpu():
    assert is_small(torch.zeros(2, 8, 4, 3), training=True)
    assert not is_small(torch.zeros(2, 8, 5, 3), training=False)


def test_no_map_of_a_graph_for_any_size_is_small():
    told = Told()
    x = torch.zeros(1, 2, 2, 3)
    assert told(x).all()
    assert not torch.jit.trace(told, x)(x).any()
    assert not torch.export.export(Told(), (x,)).module()(x).any()


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_a_network_computes_the_same(spatial_dims, monkeypatch):
    torch.manual_seed(0)
    arguments = {"num_classes": 3, "depths": (1, 2), "dims": (16, 32), "drop_path_rate": 0.0}
    network = MedMamba(spatial_dims, **arguments).double().train()
    x = torch.randn(2, 3, *[32] * spatial_dims, dtype=torch.float64)
    network(x)  # for statistics that are not 0 and 1
    network.eval()
    expected, fused = network(x), network.fuse()
    for module in (ss_conv_ssm, ss_nd):
        monkeypatch.setattr(module, "is_small", lambda *_: True)
    monkeypatch.setattr(ss_nd._SSND, "_convolve", lambda self, x: convolve_each_channel(self.conv, x))
    torch.testing.assert_close(network(x), expected)
    torch.testing.assert_close(fused(x), expected)


@pytest.mark.gpu
@pytest.mark.parametrize(("count", "small"), [(1, True), (40, False)])
def test_compiles_to_the_same(count, small):
    torch.manual_seed(0)
    network = MedMamba(num_classes=3, depths=(1,), dims=(16,), drop_path_rate=0.0).cuda().eval().fuse()
    x = torch.randn(count, 3, 64, 64, device="cuda")  # 256 positions each
    graphs = []
    with torch.no_grad():
        torch.compile(network, dynamic=False, backend=lambda graph, _: graphs.append(graph.code) or graph)(x)
        assert ("unfold(" in graphs[0]) == small
        torch.testing.assert_close(compile_network(network)(x), network(x), rtol=1e-2, atol=1e-3)
