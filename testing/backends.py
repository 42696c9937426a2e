"""Backends that this machine lacks: a skip with its reasons, or a failure where the backend must run."""

import os
from collections.abc import Sequence

import pytest

VARIABLE = "MONAI_MEDMAMBA_TEST_BACKENDS"


def required_backends() -> set[str]:
    """Return the names in ``MONAI_MEDMAMBA_TEST_BACKENDS``, which are separated by commas."""
    return {name.strip() for name in os.environ.get(VARIABLE, "").split(",")} - {""}


def require_backend(name: str, reasons: Sequence[str]) -> None:
    """Go on if ``reasons`` is empty; otherwise skip the test, or fail it if this machine must run the backend.

    Args:
        name: the backend, such as ``"mamba_ssm"``.
        reasons: why it cannot run here, as its ``unsupported`` says.
    """
    if not reasons:
        return
    message = f"backend {name} cannot run here: {'; '.join(reasons)}"
    if name in required_backends():
        pytest.fail(f"{message} ({VARIABLE} asks for it)", pytrace=False)
    pytest.skip(message)


def require_on_cpu(name: str) -> None:
    """Go on if a backend of the scan runs on this machine's CPU; otherwise skip the test, or fail it."""
    import torch

    from monai_medmamba.information import backend_states

    require_backend(name, backend_states(torch.device("cpu"))[name])
