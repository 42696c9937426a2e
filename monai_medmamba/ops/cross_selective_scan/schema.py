"""The operator as torch sees it: schema, fake and derivative. The computation is registered by ``api``.

One operator serves every backend. The backend's name travels in the graph as a string and is resolved when the
operator runs, so a program compiled or exported with ``"auto"`` takes the best backend of the machine it runs on.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_TENSORS = "Tensor x, Tensor x_dbl, Tensor dt_weight, Tensor dt_bias, Tensor A, Tensor D"

LIBRARY = torch.library.Library("monai_medmamba", "DEF")
LIBRARY.define(f"cross_selective_scan({_TENSORS}, str backend) -> Tensor")
LIBRARY.define(
    f"cross_selective_scan_backward(Tensor grad_y, {_TENSORS}, str backend)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"
)


def _fake_forward(
    x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor, backend: str
) -> Tensor:
    del x_dbl, dt_weight, dt_bias, A, D, backend
    return torch.empty(x.shape, dtype=x.dtype, device=x.device)


def _fake_backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor, backend: str
) -> tuple[Tensor, ...]:
    del grad_y, backend
    return tuple(torch.empty(t.shape, dtype=t.dtype, device=t.device) for t in (x, x_dbl, dt_weight, dt_bias, A, D))


def _save_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    del output
    *tensors, ctx.backend = inputs
    ctx.save_for_backward(*tensors)


def _differentiate(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
    grads = torch.ops.monai_medmamba.cross_selective_scan_backward(grad_y, *ctx.saved_tensors, ctx.backend)
    return (*grads, None)


def _refuse_twice(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
    del ctx, grads
    raise NotImplementedError("cross_selective_scan is differentiable once: second derivatives are not implemented")


torch.library.register_fake("monai_medmamba::cross_selective_scan", _fake_forward, lib=LIBRARY)
torch.library.register_fake("monai_medmamba::cross_selective_scan_backward", _fake_backward, lib=LIBRARY)
torch.library.register_autograd(
    "monai_medmamba::cross_selective_scan", _differentiate, setup_context=_save_inputs, lib=LIBRARY
)
torch.library.register_autograd("monai_medmamba::cross_selective_scan_backward", _refuse_twice, lib=LIBRARY)
