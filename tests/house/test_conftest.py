"""The gates of `tests/conftest.py`, seen from outside: a skip gives its reason, and what must run fails instead."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
GATED = """
import pytest

@pytest.mark.gpu
def test_gpu():
    pass

@pytest.mark.real_data
def test_real(medmamba_data):
    assert medmamba_data.is_absolute()
"""


@pytest.fixture
def outcome(tmp_path):
    """Run the gated tests in a fresh process without a GPU, and return what pytest prints."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    gpu\n    real_data\n    label\n")
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "test_gated.py").write_text(GATED)

    def run(**variables):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "MEDMAMBA_DATA": ""}
        environment.update({"MONAI_MEDMAMBA_TEST_BACKENDS": "", **variables})
        command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", str(tmp_path)]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        ).stdout

    return run


def test_skips_give_their_reason(outcome):
    printed = outcome()
    assert "needs a CUDA device" in printed
    assert "set MEDMAMBA_DATA to the folder of real images" in printed
    assert "2 skipped" in printed


def test_what_must_run_fails_instead(outcome, tmp_path):
    printed = outcome(MONAI_MEDMAMBA_TEST_BACKENDS="mamba_ssm", MEDMAMBA_DATA=str(tmp_path))
    assert "no CUDA device, and MONAI_MEDMAMBA_TEST_BACKENDS asks for mamba_ssm" in printed
    assert "1 passed, 1 error" in printed


def test_a_wrong_data_folder_is_an_error(outcome):
    assert "names nowhere, which is no folder" in outcome(MEDMAMBA_DATA="nowhere")


@pytest.mark.parametrize("draw", [0, 1])
def test_every_test_starts_from_the_same_state(draw):
    assert (random.randint(0, 999), np.random.randint(1000), torch.randint(1000, ()).item()) == (864, 684, 44)
