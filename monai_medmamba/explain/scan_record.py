"""What passes through the scans of a network while an image goes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["ScanCall", "ScanRecord"]

_SCAN = torch.ops.monai_medmamba.cross_selective_scan


class ScanCall(NamedTuple):
    """One call of the scan.

    Args:
        tensors: x, x_dbl, dt_weight, dt_bias, A and D.
        backend: As asked for; empty for the default.
        y: The result, with its graph.

    Example:
        >>> ScanCall((), "cpu", torch.zeros(1)).backend
        'cpu'
    """

    tensors: tuple[Tensor, ...]
    backend: str
    y: Tensor


class ScanRecord(TorchFunctionMode):
    """Notes every call of the scan inside a ``with`` block, in order; the network needs no hook for it.

    Example:
        >>> from ..networks import MedMamba
        >>> with ScanRecord() as record:
        ...     _ = MedMamba(num_classes=2, depths=(1, 2), dims=(8, 16)).eval()(torch.zeros(1, 3, 32, 32))
        >>> [tuple(call.y.shape) for call in record.calls]
        [(1, 8, 8, 8), (1, 4, 4, 16), (1, 4, 4, 16)]
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[ScanCall] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Runs the function, and notes it if it is the scan."""
        result = func(*args, **(kwargs or {}))
        if func is _SCAN or func is _SCAN.default:
            self.calls.append(ScanCall(args[:-1], args[-1], result))
        return result
