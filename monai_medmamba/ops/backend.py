"""Backends of an operation: the record that describes one, and the choice among several."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["AUTO", "BACKEND_VARIABLE", "Backend", "BackendError", "choose", "requested_name"]

logger = logging.getLogger(__name__)

AUTO = "auto"
BACKEND_VARIABLE = "MONAI_MEDMAMBA_BACKEND"


class BackendError(RuntimeError):
    """A named backend cannot run this call, or no backend has that name.

    Example:
        >>> raise BackendError("backend 'mamba_ssm' cannot run")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        monai_medmamba.ops.backend.BackendError: backend 'mamba_ssm' cannot run
    """


@dataclass(frozen=True)
class Backend:
    """One way to compute an operation.

    Args:
        name: what a user writes to ask for it.
        forward: computes the result from the operation's tensors.
        backward: computes the gradient of every tensor from the result's gradient and the same tensors.
        unsupported: returns every reason why a call with these tensors cannot run here; empty if it can.

    Example:
        >>> double = Backend("double", lambda x: 2 * x, lambda g, x: 2 * g, lambda x: [])
        >>> double.forward(21)
        42
    """

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    unsupported: Callable[..., list[str]]


def requested_name(requested: str | None) -> str:
    """Returns the backend's name that is asked for: the argument, else the environment, else ``"auto"``.

    Args:
        requested: a backend's name, ``"auto"``, or None for no opinion.

    Returns:
        The name; never empty.

    Example:
        >>> requested_name("reference")
        'reference'
    """
    return requested or os.environ.get(BACKEND_VARIABLE, "").strip() or AUTO


def choose(backends: Sequence[Backend], requested: str | None, tensors: Sequence[Any]) -> Backend:
    """Returns the backend that runs a call.

    A name is binding: a named backend that cannot run raises. Only ``"auto"`` goes on to the next, and says
    once which one it took.

    Args:
        backends: the candidates, fastest first.
        requested: a backend's name, ``"auto"``, or None to ask the environment variable ``MONAI_MEDMAMBA_BACKEND``.
        tensors: the operation's tensors, as given to every function of a backend.

    Returns:
        The chosen record.

    Raises:
        BackendError: no such name, or the named one (or, for ``"auto"``, every one) cannot run, with all reasons.

    Example:
        >>> slow = Backend("slow", lambda x: x, lambda g, x: g, lambda x: [])
        >>> choose([slow], "slow", [1]).name
        'slow'
    """
    name = requested_name(requested)
    if name == AUTO:
        return _first_able(backends, tensors)
    for backend in backends:
        if backend.name == name:
            reasons = backend.unsupported(*tensors)
            if reasons:
                raise BackendError(
                    f"backend '{name}' was asked for but cannot run this call: {'; '.join(reasons)}. "
                    f"Ask for 'auto' to use the fastest one that can; `medmamba info` lists them."
                )
            return backend
    known = ", ".join(backend.name for backend in backends)
    raise BackendError(f"no backend is named '{name}'; expected auto or one of: {known}")


def _first_able(backends: Sequence[Backend], tensors: Sequence[Any]) -> Backend:
    refused = []
    for backend in backends:
        reasons = backend.unsupported(*tensors)
        if not reasons:
            _say_once(backend.name)
            return backend
        refused.append(f"{backend.name} ({'; '.join(reasons)})")
    raise BackendError(f"no backend can run this call: {', '.join(refused)}")


@functools.cache
def _say_once(name: str) -> None:
    logger.info("cross_selective_scan: backend 'auto' took '%s'", name)
