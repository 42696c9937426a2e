"""A backend that is compiled on the user's machine proves itself against the reference before it is believed."""

from __future__ import annotations

import functools
import logging
from dataclasses import replace

import torch
from torch import Tensor

from ..backend import Backend

__all__ = ["checked"]

logger = logging.getLogger(__name__)

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 3e-3}
# Images and their sizes: a kernel may divide few long scans, many short ones and what lies between differently.
_CASES = {
    2: ((2, (9, 11)), (128, (3, 5)), (33, (8, 16)), (1, (24, 24))),
    3: ((2, (5, 3, 7)), (96, (2, 3, 2)), (33, (4, 8, 4)), (1, (8, 9, 8))),
}
_NAMES = ("y", "x", "x_dbl", "dt_weight", "dt_bias", "A", "D")


def checked(backend: Backend, reference: Backend) -> Backend:
    """Returns a backend that can run a call only if it agrees with the reference on a small one of the same kind.

    The comparison, of the result and of every gradient, runs once in a process for each device, dtype, number of
    directions, states and rank. A backend that disagrees, or fails, says so as a warning and as a reason.

    Args:
        backend: the one to prove.
        reference: what is right.

    Returns:
        The same backend with ``unsupported`` extended.

    Example:
        >>> from monai_medmamba.ops.cross_selective_scan import chunked, reference
        >>> checked(chunked.BACKEND, reference.BACKEND).name
        'chunked'
    """

    @functools.cache
    def disagreement(
        device: torch.device, dtypes: tuple[torch.dtype, ...], spatial_dims: int, states: int, rank: int
    ) -> str:
        try:
            checks = (
                _disagreement(backend, reference, device, dtypes, batch, space, states, rank)
                for batch, space in _CASES[spatial_dims]
            )
            found = next(filter(None, checks), "")
        except RuntimeError as error:
            found = f"it failed: {error}"
        if not found:
            return ""
        message = (
            f"the self-check of backend '{backend.name}' on {device} for {dtypes[0]}, {2 * spatial_dims} directions, "
            f"{states} states, rank {rank} failed: {found}; please report it"
        )
        logger.warning("cross_selective_scan: %s. Slower backends serve.", message)
        return message

    def unsupported(*tensors: Tensor) -> list[str]:
        reasons = backend.unsupported(*tensors)
        if reasons:
            return reasons
        x, _x_dbl, dt_weight, _dt_bias, A, _D = tensors
        found = disagreement(x.device, tuple(t.dtype for t in tensors), x.dim() - 2, A.shape[-1], dt_weight.shape[-1])
        return [found] if found else []

    return replace(backend, unsupported=unsupported)


def _disagreement(
    backend: Backend,
    reference: Backend,
    device: torch.device,
    dtypes: tuple[torch.dtype, ...],
    batch: int,
    space: tuple[int, ...],
    states: int,
    rank: int,
) -> str:
    """Returns which result is off and by how much; empty if all agree."""
    if device.type == "cuda" and torch.cuda.is_current_stream_capturing():
        raise RuntimeError("the first call of its kind comes inside a CUDA graph; make one call before the capture")
    generator = torch.Generator().manual_seed(0)
    channels, directions = 20, 2 * len(space)

    def drawn(dtype: torch.dtype, *shape: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
        return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale + shift).to(device, dtype)

    x = drawn(dtypes[0], batch, *space, channels)
    call = [
        x,
        drawn(dtypes[1], batch, *space, directions, rank + 2 * states, scale=0.5),
        drawn(dtypes[2], directions, channels, rank, scale=0.3),
        drawn(dtypes[3], directions, channels, shift=-2.0),
        -drawn(dtypes[4], directions, channels, states).exp(),
        drawn(dtypes[5], directions, channels),
    ]
    grad_y = drawn(dtypes[0], *x.shape)
    found = (backend.forward(*call), *backend.backward(grad_y, *call))
    expected = (reference.forward(*call), *reference.backward(grad_y, *call))
    for name, ours, right in zip(_NAMES, found, expected, strict=True):
        off = (ours.double() - right.double()).norm() / right.double().norm()
        if not off <= max(TOLERANCE.get(t, 1e-4) for t in dtypes):
            return f"{name} is off by {off:.1e} of its size"
    return ""
