import pytest
import torch

from monai_medmamba.layers import SS2D, SS3D, ss_nd
from testing.backends import require_on_cpu
from testing.golden import below, golden_arrays, relative_rms


@pytest.mark.parametrize(("layer", "space"), [(SS2D, (5, 7)), (SS2D, (1, 1)), (SS3D, (3, 4, 2))], ids=str)
def test_shape(layer, space):
    assert layer(dim=8, d_state=4)(torch.randn(2, *space, 8)).shape == (2, *space, 8)


@pytest.mark.parametrize(
    ("arguments", "name", "shape"),
    [
        ({"d_state": 5}, "A_log", (4, 16, 5)),
        ({"expand": 3}, "D", (4, 24)),
        ({"dt_rank": 3}, "dt_weight", (4, 16, 3)),
        ({"d_conv": 5}, "conv.weight", (16, 1, 5, 5)),
    ],
    ids=str,
)
def test_arguments(arguments, name, shape):
    layer = SS2D(dim=8, **arguments)
    assert layer.get_parameter(name).shape == shape
    assert layer(torch.randn(1, 4, 4, 8)).shape == (1, 4, 4, 8)


def test_every_position_reaches_every_other():
    layer = SS2D(dim=8)
    x = torch.randn(1, 6, 9, 8, requires_grad=True)
    (grad,) = torch.autograd.grad(layer(x)[0, 0, 0].sum(), x)
    assert (grad.abs().sum(-1) > 0).all()


def test_every_parameter_gets_a_gradient():
    layer = SS3D(dim=8, d_state=4)
    layer(torch.randn(2, 3, 4, 2, 8)).square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in layer.parameters())


RENAMED = {"dt_projs_weight": "dt_weight", "dt_projs_bias": "dt_bias", "A_logs": "A_log", "Ds": "D"}


@pytest.mark.parametrize("backend", ["reference", "chunked", "cpu"])
@pytest.mark.parametrize("case", ["d8_h5_w7", "d8_h1_w1", "d24_h14_w9", "d48_h56_w56"])
def test_matches_reference(case, backend):
    """Values and every gradient of the published module, as recorded."""
    require_on_cpu(backend)
    arrays = golden_arrays("ss2d.npz")
    arrays = below(arrays, f"{case}/")
    layer = SS2D(dim=arrays["x"].shape[-1], backend=backend)

    def ours(published):
        names = {name: RENAMED.get(name, name.replace("conv2d", "conv")) for name in published}
        return {new: published[old].reshape(layer.get_parameter(new).shape) for old, new in names.items()}

    layer.load_state_dict(ours(below(arrays, "state/")))
    x = arrays["x"].requires_grad_()
    y = layer(x)
    y.backward(arrays["cotangent"])
    assert relative_rms(y, arrays["y"]) < 1e-5
    assert relative_rms(x.grad, arrays["grad_x"]) < 1e-4
    for name, expected in ours(below(arrays, "grad/")).items():
        assert relative_rms(layer.get_parameter(name).grad, expected) < 1e-4, name


@pytest.mark.gpu
def test_training_keeps_less_than_evaluation():
    """Evaluation with gradients keeps everything; training computes the features and the gate again."""
    layer, x = SS2D(dim=8, d_state=4).cuda(), torch.randn(1, 6, 6, 8, device="cuda", requires_grad=True)
    maps = []
    for training in (True, False):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, kept=kept: kept.append(t.shape) or t, lambda t: t):
            layer.train(training)(x)
        maps.append(sum(shape.numel() for shape in kept if shape[:-1].numel() == 36))
    assert maps[0] < 0.7 * maps[1]


class OnGpu(torch.Tensor):
    """A tensor that says it lies on a GPU."""

    is_cuda = True


@pytest.mark.parametrize(("d_conv", "tracing", "served"), [(3, False, 1), (5, False, 0), (3, True, 0)])
def test_on_a_gpu_the_convolution_is_ours(d_conv, tracing, served, monkeypatch):
    calls = []
    monkeypatch.setattr(ss_nd, "depthwise_convolution", lambda *tensors: calls.append(tensors) or tensors[0])
    monkeypatch.setattr(torch.jit, "is_tracing", lambda: tracing)
    layer, x = SS3D(dim=4, d_conv=d_conv), torch.randn(1, 3, 4, 5, 8)
    y = layer._convolve(x.as_subclass(OnGpu))
    assert len(calls) == served
    if not served:
        torch.testing.assert_close(y.as_subclass(torch.Tensor), layer.conv(x.movedim(-1, 1)).movedim(1, -1))
