"""What this installation is and can do, for ``medmamba info``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from .ops import BACKENDS
from .version import __version__

__all__ = ["backend_states", "print_information"]

_PACKAGES = ("monai", "torch", "pytorch-ignite", "numpy", "mamba-ssm", "itk", "nibabel", "pydicom", "monailabel")


def backend_states(device: torch.device) -> dict[str, list[str]]:
    """Returns, for each backend of the scan, the reasons why it cannot run on a device.

    Args:
        device: on which a small float32 call would run.

    Returns:
        Reasons by backend name, fastest first; an empty list means that it can.

    Example:
        >>> backend_states(torch.device("cpu"))["reference"]
        []
    """
    channels, states, rank, directions = 8, 4, 1, 4
    call = (
        torch.zeros(1, 2, 2, channels, device=device),
        torch.zeros(1, 2, 2, directions, rank + 2 * states, device=device),
        torch.zeros(directions, channels, rank, device=device),
        torch.zeros(directions, channels, device=device),
        torch.full((directions, channels, states), -1.0, device=device),
        torch.ones(directions, channels, device=device),
    )
    return {backend.name: backend.unsupported(*call) for backend in BACKENDS}


def print_information() -> None:
    """Prints versions, devices, and every backend's state with its reasons.

    Example:
        >>> print_information()  # doctest: +ELLIPSIS
        monai_medmamba ...
    """
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"monai_medmamba {__version__}, Python {platform.python_version()}, {platform.platform()}")
    console.print(", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name))), soft_wrap=True)
    devices = [torch.device("cpu"), *(torch.device("cuda", i) for i in range(torch.cuda.device_count()))]
    for device in devices:
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        table = Table(title=f"{device}: {name}", title_justify="left", show_lines=True)
        for column in ("backend", "state", "why not"):
            table.add_column(column, overflow="fold")
        states = backend_states(device)
        taken = next(name for name, reasons in states.items() if not reasons)
        for backend, reasons in states.items():
            state = "unavailable" if reasons else "used by 'auto'" if backend == taken else "available"
            table.add_row(backend, state, "\n".join(reasons))
        console.print(table)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
