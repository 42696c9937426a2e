from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_medmamba.layers import normalization
from monai_medmamba.layers.normalization import ScaleShift, layer_norm


def settled(norm):
    """Return a normalisation with statistics and weights of its own."""
    for tensor in (norm.weight.data, norm.running_var):
        tensor.uniform_(0.5, 2)
    for tensor in (norm.bias.data, norm.running_mean):
        tensor.normal_()
    return norm.eval()


def test_layer_norm_without_autocast_is_torchs():
    norm, x = nn.LayerNorm(6), torch.randn(2, 3, 4, 6)
    assert torch.equal(layer_norm(x, norm), norm(x))


def test_layer_norm_answers_in_the_dtype_of_autocast():
    norm, x = nn.LayerNorm(6), torch.randn(2, 3, 4, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer_norm(x, norm)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), norm(x), atol=0.03, rtol=0.01)


@pytest.mark.parametrize(("norm", "space"), [(nn.BatchNorm2d, (3, 5)), (nn.BatchNorm3d, (3, 5, 2))])
def test_scale_shift_is_the_normalisation(norm, space):
    norm, x = settled(norm(4)), torch.randn(2, *space, 8)[..., :4].movedim(-1, 1)
    y = ScaleShift(norm)(x)
    torch.testing.assert_close(y, norm(x))
    assert y.movedim(1, -1).is_contiguous()  # channels stay last in memory


def test_scale_shift_needs_statistics():
    with pytest.raises(ValueError, match="running statistics"):
        ScaleShift(nn.BatchNorm2d(4, track_running_stats=False))


def test_kernels_of_ours_serve_on_a_gpu_outside_of_graphs(monkeypatch):
    norm, on_gpu = nn.LayerNorm(6), SimpleNamespace(is_cuda=True)
    assert normalization._has_kernels(on_gpu, norm)
    assert not normalization._has_kernels(torch.zeros(1, 6), norm)
    assert not normalization._has_kernels(on_gpu, nn.LayerNorm(6, eps=1e-6))
    for place, name in ((torch.compiler, "is_compiling"), (torch.jit, "is_tracing")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, lambda: True)
            assert not normalization._has_kernels(on_gpu, norm)
