"""How the parameters of MedMamba start, as in the published network."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["init_convolutions_and_linears", "init_log_decay", "init_step_bias"]


def init_step_bias(bias: Tensor, dt_min: float, dt_max: float, floor: float = 1e-4) -> None:
    """Fills a step bias so that its softplus is log-uniform between two steps.

    Source: Mamba (arXiv 2312.00752), section 3.6, as MedMamba uses it.

    Args:
        bias: the tensor to fill, any shape.
        dt_min: smallest step, > 0.
        dt_max: largest step, >= dt_min.
        floor: steps below this are raised to it.

    Example:
        >>> bias = torch.empty(1000)
        >>> init_step_bias(bias, 0.001, 0.1)
        >>> 0.001 <= nn.functional.softplus(bias).min().item() <= nn.functional.softplus(bias).max().item() <= 0.1
        True
    """
    with torch.no_grad():
        low, high = math.log(dt_min), math.log(dt_max)
        step = torch.exp(torch.rand(bias.shape, dtype=bias.dtype) * (high - low) + low).clamp(min=floor)
        bias.copy_(step + torch.log(-torch.expm1(-step)))  # the inverse of softplus


def init_log_decay(log_decay: Tensor) -> None:
    """Fills ``A_log`` of shape (..., N) with log 1 ... log N, the real diagonal initialisation of S4D.

    Args:
        log_decay: the tensor to fill, (..., N).

    Example:
        >>> A_log = torch.empty(2, 3)
        >>> init_log_decay(A_log)
        >>> A_log.exp().round().tolist()
        [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]
    """
    with torch.no_grad():
        log_decay.copy_(torch.arange(1, log_decay.shape[-1] + 1, dtype=log_decay.dtype).log())


def init_convolutions_and_linears(root: nn.Module) -> None:
    """Starts every convolution, linear layer and LayerNorm below a module.

    Convolutions: normal with variance 2 / fan-out, biases as torch leaves them. Linear layers: normal with standard
    deviation 0.02 truncated at two units, biases zero. LayerNorm: identity.

    Args:
        root: the module whose parts are started.

    Example:
        >>> layer = nn.Linear(4, 4)
        >>> init_convolutions_and_linears(layer)
        >>> layer.bias.abs().sum().item()
        0.0
    """
    for module in root.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
