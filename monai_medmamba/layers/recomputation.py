"""Memory for time: what is quick to compute again is not kept for the backward pass."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

__all__ = ["recomputed"]

Result = TypeVar("Result")


def recomputed(
    training: bool,
    function: Callable[..., Result],
    *inputs: Tensor,
    kept: tuple[torch._ops.OpOverload, ...] = (),
    statistics_of: nn.Module | None = None,
) -> Result:
    """Returns what a function makes, in training without keeping what lies between its inputs and its result.

    The backward pass computes that again. For functions without randomness; running statistics are those of one pass
    where ``statistics_of`` names the module that holds them.

    Args:
        training: of the module whose function it is.
        function: of tensors; the parameters that it uses may be its module's.
        inputs: of the function.
        kept: operators, such as ``torch.ops.aten.mm.default``, too costly to compute again: their results are kept.
        statistics_of: the module whose batch normalisations the function runs; not together with ``kept``.

    Returns:
        The function's result.

    Example:
        >>> x = torch.ones(2, requires_grad=True)
        >>> recomputed(True, lambda x: x.sigmoid().log().sum(), x).backward()
        >>> round(x.grad[0].item(), 3)
        0.269
    """
    # Under torch.compile, torch 2.11 takes is_exporting() for true.
    compiling = torch.compiler.is_dynamo_compiling()
    if not training or torch.jit.is_tracing() or (not compiling and torch.compiler.is_exporting()):
        return function(*inputs)
    options: dict[str, Any] = {}
    if kept:
        options["context_fn"] = functools.partial(create_selective_checkpoint_contexts, list(kept))
    elif statistics_of is not None and not compiling:  # a compiled graph changes them once as it is
        options["context_fn"] = lambda: (contextlib.nullcontext(), _statistics_kept(statistics_of))
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False, **options)


@contextlib.contextmanager
def _statistics_kept(module: nn.Module) -> Iterator[None]:
    """Lets copies of running statistics change in place of them: the first pass has already changed those."""
    norms = [norm for norm in module.modules() if isinstance(norm, _BatchNorm)]
    before = [dict(norm._buffers) for norm in norms]
    for norm in norms:
        norm._buffers.update({name: None if it is None else it.clone() for name, it in norm._buffers.items()})
    try:
        yield
    finally:
        for norm, buffers in zip(norms, before, strict=True):
            norm._buffers.update(buffers)
