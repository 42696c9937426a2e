"""The public function, the table of backends, and the operator's computation: choose a backend and run it."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import backend as _backend
from . import chunked, cpu, cuda, mamba_ssm, onnx_scan, reference, schema, torchscript_scan
from .self_check import checked
from .validation import validate

BACKENDS: tuple[_backend.Backend, ...] = (
    checked(cuda.BACKEND, reference.BACKEND),
    mamba_ssm.BACKEND,
    cpu.BACKEND,
    chunked.BACKEND,
    reference.BACKEND,
)
"""Every backend, fastest first, the reference last."""


def cross_selective_scan(
    x: Tensor,
    x_dbl: Tensor,
    dt_weight: Tensor,
    dt_bias: Tensor,
    A: Tensor,
    D: Tensor,
    *,
    backend: str | None = None,
) -> Tensor:
    """Scans a map along every spatial axis, forwards and backwards, and sums the results in image order.

    Along each direction k, token by token: ``dt = softplus(dt_weight[k] @ r + dt_bias[k])``,
    ``h = exp(dt * A[k]) * h + dt * B * x``, ``y = C . h + D[k] * x``, where ``r``, ``B`` and ``C`` are the token's
    slices of ``x_dbl``. In 2-D the K = 4 directions are rows, columns, and both reversed; in 3-D K = 6.

    Source: MedMamba (arXiv 2403.03849), section 3.2, after VMamba (arXiv 2401.10166). The projections are taken in
    image order: they are pointwise and so commute with the reordering of tokens. The state is float32 (float64 for
    float64 ``x``), also under autocast.

    A graph holds a call of one operator, which takes the backend when it runs. Two graphs hold the scan itself: what
    ``torch.onnx.export`` makes, in ONNX's operators, and what ``torch.jit.trace`` makes of ``"chunked"``, in torch's.

    Args:
        x: features, (B, H, W, D) or (B, H, W, Z, D), channels last, any floating dtype.
        x_dbl: per-token projections of each direction in image order, (B, *space, K, R + 2 * N): r, then B, then C.
        dt_weight: (K, D, R).
        dt_bias: (K, D).
        A: state matrix, (K, D, N), negative.
        D: skip weights, (K, D).
        backend: ``"auto"``, ``"cuda"``, ``"mamba_ssm"``, ``"cpu"``, ``"chunked"`` or ``"reference"``; None asks the
            environment variable ``MONAI_MEDMAMBA_BACKEND`` and then means ``"auto"``.

    Returns:
        (B, *space, D) in the dtype of ``x``. Differentiable once in all six tensors.

    Raises:
        ValueError: a shape or device does not fit.
        TypeError: a tensor is not floating.
        BackendError: the named backend does not exist or cannot run this call, with every reason.

    Example:
        >>> B, H, W, D, N, R, K = 1, 2, 3, 4, 2, 1, 4
        >>> x, x_dbl = torch.randn(B, H, W, D), torch.randn(B, H, W, K, R + 2 * N)
        >>> A = -torch.rand(K, D, N)
        >>> cross_selective_scan(x, x_dbl, torch.randn(K, D, R), torch.zeros(K, D), A, torch.ones(K, D)).shape
        torch.Size([1, 2, 3, 4])
    """
    if not torch.jit.is_tracing():
        validate(x, x_dbl, dt_weight, dt_bias, A, D)
    tensors = (x, x_dbl, dt_weight, dt_bias, A, D)
    if torch.onnx.is_in_onnx_export():
        return onnx_scan.forward(*tensors)
    if torch.jit.is_tracing() and _backend.requested_name(backend) == chunked.BACKEND.name:
        return torchscript_scan.forward(*tensors)
    return torch.ops.monai_medmamba.cross_selective_scan(*tensors, backend or "")


def _forward(
    x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor, backend: str
) -> Tensor:
    tensors = (x, x_dbl, dt_weight, dt_bias, A, D)
    chosen = _backend.choose(BACKENDS, backend, tensors)
    if x.numel() == 0:
        return torch.empty_like(x, memory_format=torch.contiguous_format)
    with torch.autocast(x.device.type, enabled=False):
        return chosen.forward(*tensors)


def _backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor, backend: str
) -> tuple[Tensor, ...]:
    tensors = (x, x_dbl, dt_weight, dt_bias, A, D)
    chosen = _backend.choose(BACKENDS, backend, tensors)
    if x.numel() == 0:
        return tuple(torch.zeros_like(t, memory_format=torch.contiguous_format) for t in tensors)
    with torch.autocast(x.device.type, enabled=False):
        return tuple(grad.contiguous() for grad in chosen.backward(grad_y, *tensors))  # as the fake promises


schema.LIBRARY.impl("cross_selective_scan", _forward, "CompositeExplicitAutograd")
schema.LIBRARY.impl("cross_selective_scan_backward", _backward, "CompositeExplicitAutograd")
