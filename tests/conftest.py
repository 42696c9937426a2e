"""What every test gets: fixed seeds, few threads, and a reason where it cannot run."""

import os
import random
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from testing.backends import VARIABLE, required_backends

THREADS = 2
GPU_BACKENDS = {"cuda", "mamba_ssm"}


def pytest_configure() -> None:
    """Share two threads among the workers of ``-n``, so that they do not slow each other down."""
    torch.set_num_threads(max(1, THREADS // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, before any fixture is made."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        asked = required_backends() & GPU_BACKENDS
        if asked:
            pytest.fail(f"no CUDA device, and {VARIABLE} asks for {', '.join(sorted(asked))}", pytrace=False)
        pytest.skip("needs a CUDA device")
    if item.get_closest_marker("real_data") and _data() is None:
        pytest.skip("set MEDMAMBA_DATA to the folder of real images")
    if item.get_closest_marker("label") and find_spec("monailabel") is None:
        pytest.skip("needs MONAI Label, in an environment of its own")


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Start every test from the same random state."""
    random.seed(0)
    np.random.seed(0)  # MONAI's transforms read the global state
    torch.manual_seed(0)


@pytest.fixture
def medmamba_data() -> Path:
    """The folder of real images; skips the test where there is none."""
    folder = _data()
    if folder is None:
        pytest.skip("set MEDMAMBA_DATA to the folder of real images")
    return folder


def _data() -> Path | None:
    """Return the folder that MEDMAMBA_DATA names; naming one that is not there is an error, no reason to skip."""
    name = os.environ.get("MEDMAMBA_DATA")
    if not name:
        return None
    folder = Path(name).resolve()
    if not folder.is_dir():
        pytest.fail(f"MEDMAMBA_DATA names {name}, which is no folder", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def patch_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a nano that learned polyp from mucosa for minutes, or those that MEDMAMBA_PATCH_WEIGHTS names."""
    from testing.patch_network import train_on_patches

    folder = _data()
    if folder is None:
        pytest.skip("set MEDMAMBA_DATA to the folder of real images")
    given = os.environ.get("MEDMAMBA_PATCH_WEIGHTS")
    return Path(given) if given else train_on_patches(folder, tmp_path_factory.mktemp("patches"))


@pytest.fixture
def npz(tmp_path: Path) -> Callable[..., Path]:
    """Writes arrays into a file of MedMNIST's form."""

    def write(name: str = "set.npz", **arrays: np.ndarray) -> Path:
        np.savez_compressed(tmp_path / name, **arrays)
        return tmp_path / name

    return write
