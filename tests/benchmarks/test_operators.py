import operators
import pytest
import torch
import torch.nn.functional as F

from monai_medmamba.layers import normalization, ss_nd
from monai_medmamba.ops import depthwise_convolution
from monai_medmamba.ops.depthwise_convolution import torch_convolution

CPU = torch.device("cpu")


def test_both_ways_of_a_convolution_are_the_same(monkeypatch):
    """On the CPU, with torch's convolution in the place of our kernels."""
    monkeypatch.setattr(operators.convolution, "KERNELS", operators.convolution.FALLBACK)
    calls = operators.convolution_calls(2, (4, 5), 6, torch.float32, CPU)
    assert torch.equal(calls["own_forward_ms"](), calls["torch_forward_ms"]())
    assert calls["torch_backward_ms"]()[1].shape == (6, 1, 3, 3)


def test_both_ways_of_a_normalisation_are_the_same(monkeypatch):
    monkeypatch.setattr(operators.norm, "KERNELS", operators.norm.FALLBACK)
    calls = operators.norm_calls(7, 6, 4, torch.float32, CPU)
    torch.testing.assert_close(calls["own_forward_ms"](), calls["torch_forward_ms"]())
    for own, other in zip(calls["own_backward_ms"](), calls["torch_backward_ms"](), strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize(("names", "convolution", "kernels"), [("torch", False, False), ("convolution", True, False)])
def test_networks_run_on_what_is_named_and_on_ours_again(names, convolution, kernels):
    ours = normalization._has_kernels
    with operators.on(names):
        assert (ss_nd.depthwise_convolution is depthwise_convolution) is convolution
        assert (normalization._has_kernels is ours) is kernels
        x, weight, bias = torch.randn(1, 4, 5, 6), torch.randn(6, 1, 3, 3), torch.randn(6)
        torch.testing.assert_close(
            ss_nd.depthwise_convolution(x, weight, bias), torch_convolution.forward(x, weight, bias)
        )
    assert ss_nd.depthwise_convolution is depthwise_convolution
    assert normalization._has_kernels is ours


def test_measures_every_call(monkeypatch):
    monkeypatch.setattr(operators, "capture", lambda run: run)
    x = torch.randn(3, 4)
    found = operators.measure(lambda: {"a_ms": lambda: F.relu(x), "b_ms": lambda: x + 1}, CPU)
    assert found.keys() == {"a_ms", "b_ms"}
    assert all(took > 0 for took in found.values())


def test_a_network_has_both_times(monkeypatch):
    monkeypatch.setattr(operators, "capture", lambda run: run)
    monkeypatch.setattr(operators, "milliseconds", lambda run, device, seconds: run() is None)
    monkeypatch.setattr(torch.optim, "AdamW", lambda parameters, **_: torch.optim.SGD(parameters, lr=0.1))
    found = operators.network_figures("medmamba_nano", (32, 32), 2, "torch", CPU)
    assert found == {"forward_ms": False, "training_step_ms": True}
