"""Inputs for the scan and the measure of a backend's error: the reference's own error at the same dtype."""

from collections.abc import Sequence

import torch
from torch import Tensor

from monai_medmamba.ops import cross_selective_scan

NAMES = ("y", "x", "x_dbl", "dt_weight", "dt_bias", "A", "D")

# Channels and states enough that an RMS is no matter of one or two elements: among fast decays few are slow enough to
# count. Twenty channels are no multiple of a vector.
ENOUGH = {"channels": 20, "states": 16}

# Sizes that bite: one token, two, odd, H != W, a prime, a long one.
SPACES = [(1, 1), (1, 2), (7, 9), (5, 1), (14, 9), (1, 1, 1), (2, 3, 5), (4, 1, 3)]


def scan_inputs(
    space: Sequence[int],
    *,
    batch: int = 2,
    channels: int = 6,
    states: int = 4,
    rank: int = 2,
    decay: str = "mixed",
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> list[Tensor]:
    """Return random x, x_dbl, dt_weight, dt_bias, A, D; ``decay`` is slow (almost none), fast or mixed.

    The projected tensors are in ``dtype``, parameters in float32, or float64 for float64, as under autocast.
    """
    k = 2 * len(space)
    parameter = torch.float64 if dtype == torch.float64 else torch.float32
    rates = {"slow": -1e-4 * torch.rand(k, channels, states), "fast": -50 * torch.rand(k, channels, states)}
    tensors = [
        torch.randn(batch, *space, channels).to(dtype),
        (0.5 * torch.randn(batch, *space, k, rank + 2 * states)).to(dtype),
        (0.3 * torch.randn(k, channels, rank)).to(parameter),
        (torch.randn(k, channels) - 2).to(parameter),
        rates.get(decay, -torch.exp(torch.randn(k, channels, states))).to(parameter),
        torch.randn(k, channels).to(parameter),
    ]
    return [tensor.to(device) for tensor in tensors]


def value_and_gradients(tensors: Sequence[Tensor], backend: str, cotangent: Tensor) -> dict[str, Tensor]:
    """Return y and the gradient of each tensor."""
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    y = cross_selective_scan(*leaves, backend=backend)
    grads = torch.autograd.grad(y, leaves, cotangent.to(y))
    return dict(zip(NAMES, (y.detach(), *grads), strict=True))


def rms(error: Tensor) -> float:
    """Return the root mean square of a tensor, in float64."""
    return error.double().pow(2).mean().sqrt().item()


def assert_meets_reference(tensors: Sequence[Tensor], backend: str, factor: float = 3.0) -> None:
    """Fail where a backend's RMS error against float64 exceeds ``factor`` times the reference's own error."""
    cotangent = torch.randn(tensors[0].shape, dtype=torch.float64).to(tensors[0].device)
    exact = value_and_gradients([tensor.double() for tensor in tensors], "reference", cotangent)
    expected = value_and_gradients(tensors, "reference", cotangent)
    found = value_and_gradients(tensors, backend, cotangent)
    for name in NAMES:
        assert found[name].dtype == expected[name].dtype, f"{name}: {found[name].dtype}, not {expected[name].dtype}"
        own = rms(expected[name].double() - exact[name])
        floor = torch.finfo(expected[name].dtype).eps * rms(exact[name])  # one rounding of the result is no error
        error = rms(found[name].double() - exact[name])
        assert error <= factor * max(own, floor), f"{name}: {backend} is off by {error:.2e}, the reference by {own:.2e}"
