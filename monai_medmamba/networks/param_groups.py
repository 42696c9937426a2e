"""Which parameters an optimiser decays."""

from __future__ import annotations

from typing import Any

from torch import nn

__all__ = ["param_groups"]

_NOT_DECAYED = ("A_log", "D", "dt_bias")


def param_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Returns a network's parameters as two optimiser groups: decayed, and not decayed.

    Biases, normalisation, and of the scans skips, step biases and the state matrix are not decayed: they set offsets
    and time scales, not weights.

    Args:
        network: a MedMamba, or any other network.
        weight_decay: of the first group, at least 0.

    Returns:
        Groups for a torch optimiser.

    Example:
        >>> from .medmamba import MedMamba
        >>> network = MedMamba(num_classes=2, depths=(1,), dims=(16,))
        >>> [group["weight_decay"] for group in param_groups(network, 0.05)]
        [0.05, 0.0]
    """
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        free = parameter.dim() < 2 or name.rsplit(".", 1)[-1] in _NOT_DECAYED
        (kept if free else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]
