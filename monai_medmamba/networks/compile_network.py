"""``torch.compile`` with the settings that suit channels-last maps."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn

__all__ = ["compile_network"]


def compile_network(network: nn.Module) -> nn.Module:
    """Returns the network through ``torch.compile``, as one graph for each shape of its input.

    Inductor's own choice of layouts is off: it takes our maps (B, H, W, C) for channels-first ones and copies them into
    another order around every product. Compiling takes half a minute for inference and two for training. In evaluation
    mode convolutions of few positions, such as those of one image, take forms that suit Inductor better.

    Args:
        network: a MedMamba, in training or evaluation, or what ``fuse`` returns.

    Returns:
        A module with the same weights.

    Example:
        >>> compile_network(nn.Linear(3, 2)).training
        True
    """
    options: dict[str, Any] = {"layout_optimization": False}
    if not network.training:  # the sum of shifted maps that a depthwise convolution of few positions is: one kernel
        options |= {"realize_acc_reads_threshold": 100, "realize_opcount_threshold": 200}
    return cast(nn.Module, torch.compile(network, dynamic=False, fullgraph=True, options=options))
