"""Memory for time: what is quick to compute again is not kept for the backward pass."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

__all__ = ["recomputed"]


def recomputed(
    training: bool, function: Callable[..., Tensor], *inputs: Tensor, kept: tuple[torch._ops.OpOverload, ...] = ()
) -> Tensor:
    """Returns what a function makes, in training without keeping what lies between its inputs and its result.

    The backward pass computes that again. For functions without randomness and without running statistics.

    Args:
        training: of the module whose function it is.
        function: of tensors; the parameters that it uses may be its module's.
        inputs: of the function.
        kept: operators, such as ``torch.ops.aten.mm.default``, too costly to compute again: their results are kept.

    Returns:
        The function's result.

    Example:
        >>> x = torch.ones(2, requires_grad=True)
        >>> recomputed(True, lambda x: x.sigmoid().log().sum(), x).backward()
        >>> round(x.grad[0].item(), 3)
        0.269
    """
    # Under torch.compile, torch 2.11 takes is_exporting() for true.
    exporting = not torch.compiler.is_dynamo_compiling() and torch.compiler.is_exporting()
    if not training or torch.jit.is_tracing() or exporting:
        return function(*inputs)
    options: dict[str, Any] = (
        {"context_fn": functools.partial(create_selective_checkpoint_contexts, list(kept))} if kept else {}
    )
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False, **options)
