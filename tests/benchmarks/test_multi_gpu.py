import json
import os
import subprocess
import sys

import pytest
import torch
from multi_gpu import ROOT, difference


def test_difference():
    assert difference(torch.tensor([[3.0, 4.4], [1.0, 0.0]]), torch.tensor([[3.0, 4.0], [1.0, 0.0]])) == [0.08, 0.0]


@pytest.mark.slow
def test_a_small_run_on_the_cpu(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks" / "multi_gpu.py"), "--quick", "--out", str(tmp_path)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(next(tmp_path.glob("*-multi-gpu.json")).read_text())["rows"]
    for row in rows:
        if row["what"] == "gradients":
            assert row["difference"][0] < 1e-3
        elif row["what"] == "a process is killed":
            assert row["left_with"] != 0
            assert row["processes_left"] == 0
            assert row["resumed"]
            assert row["epochs"] == [1, 2, 3]
        else:
            assert row["images_per_second"] > 0
    assert {row["processes"] for row in rows if row["what"] == "training"} == {1, 2}
