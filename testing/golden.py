"""The numbers recorded from the published network, in the folder that MEDMAMBA_GOLDEN names."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor


def golden_folder() -> Path:
    """Return the folder; skip the test where none is named."""
    name = os.environ.get("MEDMAMBA_GOLDEN")
    if not name:
        pytest.skip("set MEDMAMBA_GOLDEN to the folder of numbers recorded from the published network")
    return Path(name)


def golden_arrays(file: str) -> dict[str, Tensor]:
    """Return every array of a recorded file by its name."""
    with np.load(golden_folder() / file) as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


def below(arrays: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the arrays under a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def relative_rms(found: Tensor, expected: Tensor) -> float:
    """Return the RMS of the difference over the RMS of what was expected."""
    return ((found - expected).pow(2).mean().sqrt() / expected.pow(2).mean().sqrt().clamp_min(1e-30)).item()
