"""Operators of a map, a weight and a bias: by kernels of our own where they can run and are right, else by torch."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .backend import Backend

__all__ = ["Call", "MapOperator"]

logger = logging.getLogger(__name__)

_TENSORS = "Tensor x, Tensor weight, Tensor bias"
_TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 3e-3}
_LIBRARY = torch.library.Library("monai_medmamba", "FRAGMENT")


class Call(NamedTuple):
    """The shapes of a call; the bias has the map's channels.

    Example:
        >>> Call((2, 5, 5, 4), (4, 1, 3, 3)).map_shape[-1]
        4
    """

    map_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]


class MapOperator:
    """Registers ``monai_medmamba::<name>(x, weight, bias)``, with its derivative, and calls it.

    It decides when it runs, so that a compiled program takes what its machine has. The kernels compare themselves with
    torch once in a process for each device, dtype and kind of call; where they disagree, a warning says so and torch
    serves.

    Args:
        name: of the operator.
        kernels: our own.
        fallback: what they are held to, and what runs without them.
        examples: returns the calls that prove the kernels for a map and a weight.

    Example:
        >>> from monai_medmamba.ops import layer_norm
        >>> layer_norm(torch.tensor([[1.0, 3.0]]), torch.ones(2), torch.zeros(2)).round()
        tensor([[-1.,  1.]])
    """

    def __init__(
        self, name: str, kernels: Backend, fallback: Backend, examples: Callable[[Tensor, Tensor], tuple[Call, ...]]
    ) -> None:
        self.name, self.kernels, self.fallback, self._examples = name, kernels, fallback, examples
        self._disagreement = functools.cache(self._compare)
        backward = f"{name}_backward"
        _LIBRARY.define(f"{name}({_TENSORS}) -> Tensor")
        _LIBRARY.define(f"{backward}(Tensor grad_y, {_TENSORS}) -> (Tensor, Tensor, Tensor)")
        _LIBRARY.impl(name, self._forward, "CompositeExplicitAutograd")
        _LIBRARY.impl(backward, self._backward, "CompositeExplicitAutograd")
        torch.library.register_fake(f"monai_medmamba::{name}", _fake_forward, lib=_LIBRARY)
        torch.library.register_fake(f"monai_medmamba::{backward}", _fake_backward, lib=_LIBRARY)
        self._run, run_backward = (getattr(torch.ops.monai_medmamba, which) for which in (name, backward))

        def differentiate(ctx: Any, grad_y: Tensor) -> Any:
            return run_backward(grad_y, *ctx.saved_tensors)

        def refuse_twice(ctx: Any, *grads: Tensor) -> Any:
            raise NotImplementedError(f"{name} is differentiable once: second derivatives are not implemented")

        torch.library.register_autograd(
            f"monai_medmamba::{name}", differentiate, setup_context=_save_inputs, lib=_LIBRARY
        )
        torch.library.register_autograd(f"monai_medmamba::{backward}", refuse_twice, lib=_LIBRARY)

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Returns the operator's result; see the function that has its name.

        Raises:
            ValueError: the tensors are on several devices.
        """
        return self._run(x, weight, bias)

    def _forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        chosen = self._chosen(x, weight, bias)
        with torch.autocast(x.device.type, enabled=False):
            return chosen.forward(x, weight, bias)

    def _backward(self, grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        chosen = self._chosen(x, weight, bias)
        with torch.autocast(x.device.type, enabled=False):
            return chosen.backward(grad_y, x, weight, bias)

    def _chosen(self, x: Tensor, weight: Tensor, bias: Tensor) -> Backend:
        if not x.device == weight.device == bias.device:
            places = ", ".join(str(tensor.device) for tensor in (x, weight, bias))
            raise ValueError(f"{self.name}: expected the map, the weight and the bias on one device, got {places}")
        if not x.numel() or self.kernels.unsupported(x, weight, bias):
            return self.fallback
        wrong = self._disagreement(x.device, x.dtype, self._examples(x, weight))
        return self.fallback if wrong else self.kernels

    def _compare(self, device: torch.device, dtype: torch.dtype, calls: tuple[Call, ...]) -> str:
        """Returns what the kernels get wrong in some calls; empty if nothing."""
        if torch.cuda.is_current_stream_capturing():
            raise RuntimeError("the first call of its kind comes inside a CUDA graph; make one call before the capture")
        try:
            found = next(filter(None, (self._off(device, dtype, call) for call in calls)), "")
        except RuntimeError as error:
            found = f"it failed: {error}"
        if found:
            logger.warning(
                "%s: the self-check of its kernels on %s for %s failed: %s; please report it. Torch's, slower, serve.",
                *(self.name, device, dtype, found),
            )
        return found

    def _off(self, device: torch.device, dtype: torch.dtype, call: Call) -> str:
        """Returns which result is off and by how much."""
        generator, channels = torch.Generator().manual_seed(0), call.map_shape[-1]
        sizes = (call.map_shape, call.map_shape, call.weight_shape, (channels,))
        grad_y, x, weight, bias = (torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)
        given = [*(tensor.to(device, dtype) for tensor in (grad_y, x)), weight.to(device), bias.to(device)]
        exact = [tensor.double().cpu() for tensor in given]
        found = (self.kernels.forward(*given[1:]), *self.kernels.backward(*given))
        expected = (self.fallback.forward(*exact[1:]), *self.fallback.backward(*exact))
        for name, ours, right in zip(("y", "x", "weight", "bias"), found, expected, strict=True):
            error = (ours.double().cpu() - right).norm() / right.norm()
            if not error <= _TOLERANCE[dtype]:
                return f"{name} is off by {error:.1e} of its size"
        return ""


def _fake_forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    del weight, bias
    return torch.empty(x.shape, dtype=x.dtype, device=x.device)


def _fake_backward(grad_y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    del grad_y
    return tuple(torch.empty(t.shape, dtype=t.dtype, device=t.device) for t in (x, weight, bias))


def _save_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    del output
    ctx.save_for_backward(*inputs)
