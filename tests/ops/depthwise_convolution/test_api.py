import logging

import pytest
import torch

from monai_medmamba.ops import depthwise_convolution
from monai_medmamba.ops.depthwise_convolution import api, cuda, torch_convolution

SPACES = [(5, 7), (3, 4, 5)]


def call(space, channels=6, dtype=torch.float64, device="cpu"):
    """Return a map, a weight and a bias that want gradients."""
    shapes = ((2, *space, channels), (channels, 1, *[3] * len(space)), (channels,))
    return [torch.randn(shape, dtype=dtype, device=device, requires_grad=True) for shape in shapes]


@pytest.fixture
def unchecked():
    api._disagreement.cache_clear()
    yield
    api._disagreement.cache_clear()


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_gradcheck(space):
    assert torch.autograd.gradcheck(depthwise_convolution, call(space))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_opcheck(space):
    torch.library.opcheck(torch.ops.monai_medmamba.depthwise_convolution.default, tuple(call(space)))


def test_second_derivatives_are_refused():
    x, weight, bias = call((3, 3))
    (grad,) = torch.autograd.grad(depthwise_convolution(x, weight, bias).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="differentiable once"):
        grad.sum().backward()


def test_without_images():
    x, weight, bias = (tensor.detach() for tensor in call((3, 3)))
    assert depthwise_convolution(x[:0], weight, bias).shape == (0, 3, 3, 6)


@pytest.mark.parametrize("wrong", [(4, 1, 3, 3), (6, 1, 5, 5), (6, 1, 3, 3, 3), (6, 2, 3, 3)], ids=str)
def test_a_wrong_weight_is_named(wrong):
    with pytest.raises(ValueError, match=r"got .*\(6,\)"):
        depthwise_convolution(torch.zeros(1, 4, 4, 6), torch.zeros(wrong), torch.zeros(6))


def test_the_result_keeps_the_dtype_of_the_map():
    x, weight, bias = call((4, 4), dtype=torch.float32)
    assert depthwise_convolution(x.bfloat16(), weight, bias).dtype == torch.bfloat16


def test_kernels_that_are_wrong_are_reported_and_left_out(unchecked, monkeypatch, caplog):
    """On a CPU, with torch's convolution in the place of the kernels."""
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    monkeypatch.setattr(cuda, "unsupported", lambda x: "")
    monkeypatch.setattr(cuda, "forward", torch_convolution.forward)
    monkeypatch.setattr(cuda, "backward", lambda *tensors: tuple(1.1 * t for t in torch_convolution.backward(*tensors)))
    x, weight, bias = call((5, 7))
    with caplog.at_level(logging.WARNING):
        (grad,) = torch.autograd.grad(depthwise_convolution(x, weight, bias).sum(), x)
    assert "x is off by 1.0e-01 of its size" in caplog.text
    ones = torch.ones(2, 5, 7, 6, dtype=torch.float64)
    assert torch.equal(grad, torch_convolution.backward(ones, x.detach(), weight.detach(), bias.detach())[0])


def test_kernels_that_are_right_serve(unchecked, monkeypatch):
    served = []
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    monkeypatch.setattr(cuda, "unsupported", lambda x: "")
    monkeypatch.setattr(cuda, "forward", lambda *tensors: served.append(1) or torch_convolution.forward(*tensors))
    monkeypatch.setattr(cuda, "backward", torch_convolution.backward)
    x, weight, bias = (tensor.detach() for tensor in call((5, 7)))
    assert depthwise_convolution(x, weight, bias).shape == x.shape
    checks = len(served)
    depthwise_convolution(x, weight, bias)
    assert len(served) == checks + 1  # it proves itself once


@pytest.mark.gpu
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_kernels_pass_their_check(space, unchecked):
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        assert not api._disagreement(torch.device("cuda", 0), dtype, len(space)), dtype
    assert torch.autograd.gradcheck(depthwise_convolution, call(space, device="cuda"))


@pytest.mark.gpu
def test_runs_in_a_cuda_graph_and_compiles():
    x, weight, bias = (tensor.detach() for tensor in call((5, 6, 7), 32, torch.bfloat16, "cuda"))
    expected = depthwise_convolution(x, weight, bias)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = depthwise_convolution(x, weight, bias)
    y.zero_()
    graph.replay()
    assert torch.equal(y, expected)
    compiled = torch.compile(lambda *tensors: 2 * depthwise_convolution(*tensors), fullgraph=True)
    torch.testing.assert_close(compiled(x, weight, bias), 2 * expected)
