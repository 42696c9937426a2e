"""The compiled scan for CPUs: vectorised over channels, threads over images and blocks of channels.

The library is plain C++ behind a plain C interface (``csrc/``), built when the package is installed on a machine with
a compiler, and loaded with ctypes: it knows nothing of torch, so one build serves every version of it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sysconfig
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..backend import Backend
from .directions import scan_orders
from .projections import compute_dtype

LIBRARY = Path(__file__).with_name("_scan.so")
ISA_NAMES = ("generic", "AVX2", "AVX-512")

_C_TYPES = {torch.float32: "float", torch.float64: "double"}


class _Sizes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("batch", "length", "channels", "states", "rank", "directions")]


class _Inputs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("x", "x_dbl", "dt_weight", "dt_bias", "A", "D", "order")]


class _Gradients(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("y", "x", "delta", "BC", "A")]


@functools.cache
def _library() -> ctypes.CDLL | str:
    """Returns the loaded library, or the reason why it cannot be."""
    if not LIBRARY.is_file():
        return (
            "the compiled scan was not built when the package was installed, for want of a C++ compiler (GCC or "
            "Clang); install one and then the package again: pip install --force-reinstall --no-deps monai-medmamba"
        )
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError as error:
        return f"the compiled scan cannot be loaded on {sysconfig.get_platform()} ({error}); install the package again"
    if (team := torch_team()) is not None:
        library.medmamba_use_team(ctypes.c_void_p(team))
    return library


def torch_team() -> int | None:
    """Returns the address of what runs a function on torch's own threads; None where torch keeps no OpenMP library.

    Beside threads of its own the scan would take twice the time: torch's wait for work by spinning.
    """
    package = Path(torch.__file__).parent
    loaded = getattr(os, "RTLD_NOLOAD", 0) | os.RTLD_NOW  # the library that torch runs on, never a second one
    for path in sorted((*package.glob("lib/lib*omp*"), *package.with_name("torch.libs").glob("lib*omp*"))):
        try:
            return ctypes.cast(ctypes.CDLL(str(path), mode=loaded).GOMP_parallel, ctypes.c_void_p).value
        except (OSError, AttributeError):
            continue
    return None


@functools.cache
def best_isa() -> int:
    """Returns the best instruction set of this processor that the library has, a place in ``ISA_NAMES``."""
    library = _library()
    return 0 if isinstance(library, str) else library.medmamba_best_isa()


def unsupported(x: Tensor, *_others: Tensor) -> list[str]:
    """Returns every reason why the library cannot run this call."""
    library = _library()
    reasons = [library] if isinstance(library, str) else []
    if x.device.type != "cpu":
        reasons.append(f"needs CPU tensors, got {x.device.type}")
    return reasons


def forward(x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> Tensor:
    """Returns the K scans summed in image order, (B, *space, D) in the dtype of ``x``."""
    call = _Call(x, x_dbl, dt_weight, dt_bias, A, D)
    y = torch.empty(x.shape, dtype=call.dtype)
    call.run("forward", y.data_ptr())
    return y.to(x.dtype)


def backward(
    grad_y: Tensor, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of the six tensors; bitwise the same on any number of threads."""
    call = _Call(x, x_dbl, dt_weight, dt_bias, A, D)
    batch, length, channels, states, rank, directions = call.size
    g = call.kept(grad_y)
    grad_x = torch.empty(directions, batch, length, channels, dtype=call.dtype)
    grad_delta = torch.empty_like(grad_x)
    grad_bc = torch.empty(batch, length, directions, 2 * states, dtype=call.dtype)
    grad_A = torch.empty(batch, directions, states, channels, dtype=call.dtype)
    pointers = _Gradients(*(tensor.data_ptr() for tensor in (g, grad_x, grad_delta, grad_bc, grad_A)))
    call.run("backward", ctypes.byref(pointers))

    weight = dt_weight.to(call.dtype)  # (K, D, R)
    flat = grad_delta.flatten(1, 2)  # (K, B * L, D)
    low_rank = call.x_dbl.view(batch * length, directions, -1)[..., :rank].transpose(0, 1)  # (K, B * L, R)
    grad_r = (flat @ weight).view(directions, batch, length, rank).permute(1, 2, 0, 3)
    grad_skip = (g.flatten(0, -2) * call.x.flatten(0, -2)).sum(0).expand(directions, channels)
    grad_through_skip = g * D.to(call.dtype).sum(0)
    return (
        grad_x.sum(0).view(x.shape).add_(grad_through_skip).to(x.dtype),
        torch.cat([grad_r, grad_bc], dim=-1).view(x_dbl.shape).to(x_dbl.dtype),
        (flat.transpose(1, 2) @ low_rank).to(dt_weight.dtype),
        flat.sum(1).to(dt_bias.dtype),
        grad_A.sum(0).transpose(1, 2).to(A.dtype),
        grad_skip.to(D.dtype),
    )


class _Call:
    """The tensors of a call as the library wants them, kept alive while it runs."""

    def __init__(self, x: Tensor, x_dbl: Tensor, dt_weight: Tensor, dt_bias: Tensor, A: Tensor, D: Tensor) -> None:
        self.dtype = compute_dtype(x)
        self.x, self.x_dbl = self.kept(x), self.kept(x_dbl)
        # The exponential turns a rate that is no number into a decay; through the skip it still reaches the result.
        skip = D.to(self.dtype) + 0 * A.to(self.dtype).sum(-1)
        parameters = (
            self.kept(dt_weight.transpose(1, 2)),
            self.kept(dt_bias),
            self.kept(A.transpose(1, 2)),
            self.kept(skip),
        )
        space = tuple(x.shape[1:-1])
        order = _order(space)
        directions, channels, rank = dt_weight.shape
        self.size = (x.shape[0], order.shape[1], channels, A.shape[-1], rank, directions)
        self._tensors = (self.x, self.x_dbl, *parameters, order)
        self._inputs = _Inputs(*(tensor.data_ptr() for tensor in self._tensors))

    def kept(self, tensor: Tensor) -> Tensor:
        """Returns a contiguous tensor in the dtype of the computation."""
        return tensor.detach().to(self.dtype).contiguous()

    def run(self, name: str, result: Any) -> None:
        """Calls the library on as many threads as torch uses.

        Raises:
            MemoryError: the library found no scratch memory.
        """
        function = getattr(_library(), f"medmamba_{name}_{_C_TYPES[self.dtype]}")
        pointer = ctypes.c_void_p(result) if isinstance(result, int) else result
        sizes = _Sizes(*self.size)
        threads = torch.get_num_threads()
        if function(best_isa(), ctypes.byref(sizes), ctypes.byref(self._inputs), pointer, threads):
            raise MemoryError(f"cross_selective_scan on the CPU: no scratch memory for sizes {self.size}")


@functools.lru_cache(maxsize=64)
def _order(space: tuple[int, ...]) -> Tensor:
    """Returns the token that each direction visits at each step, (K, L) int32."""
    tokens = torch.arange(torch.Size(space).numel(), dtype=torch.int32).view(space)
    forward = torch.stack([tokens.permute(order).flatten() for order in scan_orders(len(space))])
    return torch.cat([forward, forward.flip(1)]).contiguous()


BACKEND = Backend("cpu", forward, backward, unsupported)
