import logging
from dataclasses import replace

import pytest
import torch

from monai_medmamba.ops.backend import Backend
from monai_medmamba.ops.layer_norm import torch_norm
from monai_medmamba.ops.map_operator import Call, MapOperator

RIGHT = Backend("torch", torch_norm.forward, torch_norm.backward, lambda *_: [])
served: list[str] = []


def kernels(scale):
    """Return kernels whose gradients are off by a factor, and that say that they served."""

    def forward(*tensors):
        served.append("kernels")
        return torch_norm.forward(*tensors)

    def backward(*tensors):
        return tuple(scale * grad for grad in torch_norm.backward(*tensors))

    return Backend("kernels", forward, backward, lambda *_: [])


OPERATORS = {
    name: MapOperator(f"test_{name}", own, RIGHT, lambda x, weight: (Call((3, len(weight)), (len(weight),)),))
    for name, own in {
        "right": kernels(1.0),
        "wrong": kernels(1.1),
        "failing": replace(kernels(1.0), forward=lambda *_: torch.zeros(2).reshape(3)),
        "unable": replace(kernels(1.0), unsupported=lambda *_: ["not here"]),
    }.items()
}


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    served.clear()
    for operator in OPERATORS.values():
        operator._disagreement.cache_clear()


def call():
    """Return a map, a weight and a bias that want gradients."""
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((5, 6), (6,), (6,))]


@pytest.mark.parametrize("name", OPERATORS)
def test_gradcheck(name):
    assert torch.autograd.gradcheck(OPERATORS[name], call())


def test_opcheck():
    torch.library.opcheck(torch.ops.monai_medmamba.test_right.default, tuple(call()))


def test_second_derivatives_are_refused():
    x, weight, bias = call()
    (grad,) = torch.autograd.grad(OPERATORS["right"](x, weight, bias).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="test_right is differentiable once"):
        grad.sum().backward()


def test_kernels_prove_themselves_once():
    OPERATORS["right"](*call())
    assert served == ["kernels", "kernels"]  # a check and the call
    OPERATORS["right"](*call())
    assert served == ["kernels"] * 3


@pytest.mark.parametrize(
    ("name", "words"), [("wrong", "x is off by 1.0e-01 of its size"), ("failing", "it failed: shape")]
)
def test_kernels_that_are_wrong_are_reported_and_left_out(name, words, caplog):
    with caplog.at_level(logging.WARNING):
        y = OPERATORS[name](*call())
    assert words in caplog.text
    assert "please report it" in caplog.text
    assert torch.isfinite(y).all()
    served.clear()
    OPERATORS[name](*call())
    assert not served


def test_kernels_that_cannot_run_are_not_asked():
    OPERATORS["unable"](*call())
    assert not served


def test_a_first_call_in_a_cuda_graph_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with pytest.raises(RuntimeError, match="one call before the capture"):
        OPERATORS["right"](*call())
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    OPERATORS["right"](*call())
    assert served


def test_an_empty_map():
    x, weight, bias = (tensor.detach() for tensor in call())
    assert OPERATORS["right"](x[:0], weight, bias).shape == (0, 6)
    assert not served


def test_tensors_on_several_devices_are_named():
    x, weight, bias = (tensor.detach() for tensor in call())
    with pytest.raises(ValueError, match=r"test_right: expected .* on one device, got cpu, cpu, meta"):
        OPERATORS["right"]._forward(x, weight, bias.to("meta"))
