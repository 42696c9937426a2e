"""Training in two processes on the CPU: it equals one process, ends cleanly, and survives the loss of one."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from monai_medmamba.bundle import find_overlay
from testing.bundles import ROOT, class_folders, monai_bundle

pytestmark = pytest.mark.slow

TRAIN = str(ROOT / "bundles" / "medmamba_endo" / "configs" / "train.json")
TOGETHER = f"['{TRAIN}','{find_overlay('multi_gpu_train').path}']"
LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Classes of different size, so that the loss has class weights."""
    folder = class_folders(tmp_path_factory.mktemp("images"), ["dark", "middle", "bright"], count=14)
    for i in range(8, 14):
        (folder / "dark" / f"{i}.png").unlink()
    return folder


def words(folder: Path, images: Path, **changes):
    """Without augmentation, which each process draws for itself; 9 images a batch give shares of 5 and 4."""
    values = {"dataset_dir": images, "output_dir": folder / "output", "ckpt_dir": folder / "models", "image_size": 32}
    values |= {"variant": "nano", "batch_size": 9, "epochs": 2, "train#random_transforms": "[]", **changes}
    return ["run", "training", "--config_file", TOGETHER, *(w for k, v in values.items() for w in (f"--{k}", str(v)))]


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "output" / "history.csv").open(newline="") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def weights(folder: Path) -> torch.Tensor:
    state = torch.load(folder / "models" / "last.pt", weights_only=True)["model"]
    return torch.cat([tensor.flatten().double() for tensor in state.values()])


# SGD: AdamW's first steps are as long for a gradient that is rounding alone as for any other, and show nothing.
SGD = {"optimizer": "{'_target_': 'torch.optim.SGD', 'params': '$@network_def.parameters()', 'lr': '@learning_rate'}"}

ROUNDING = 1e-5  # of float32 in one epoch; it grows fast after: one process with its images reordered does the same


def test_two_processes_equal_one(images, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    alone = words(one, images, epochs=1, **SGD)
    alone[3] = TRAIN
    for done in (monai_bundle(*alone), monai_bundle(*words(two, images, epochs=1, **SGD), launcher=LAUNCHER)):
        assert done.returncode == 0, done.stderr
    for found, expected in zip(history(two), history(one), strict=True):
        del found["seconds"], expected["seconds"]
        assert found == pytest.approx(expected, rel=ROUNDING)
    torch.testing.assert_close(weights(two), weights(one), rtol=ROUNDING, atol=1e-4)


def test_batch_statistics_of_each_process(images, tmp_path):
    """Not joined they differ from one process, and are averaged before they are used and saved."""
    joined, apart = tmp_path / "joined", tmp_path / "apart"
    for folder, value in ((joined, True), (apart, False)):
        done = monai_bundle(*words(folder, images, epochs=1, sync_batchnorm=value, **SGD), launcher=LAUNCHER)
        assert done.returncode == 0, done.stderr
    assert history(apart)[0]["train_loss"] != pytest.approx(history(joined)[0]["train_loss"], rel=10 * ROUNDING)
    assert (weights(joined) - weights(apart)).abs().max() < 1


def test_ten_runs_end_cleanly(images, tmp_path):
    for i in range(10):
        done = monai_bundle(*words(tmp_path / str(i), images, epochs=1), launcher=LAUNCHER)
        assert done.returncode == 0, done.stderr
        for complaint in ("Traceback", "destroy_process_group", "Connection closed"):
            assert complaint not in done.stderr
        assert done.stderr.count("SupervisedTrainer INFO: Engine run finished") == 1  # the first process alone logs


def processes_of(launcher: subprocess.Popen) -> list[int]:
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return [int(child) for child in children if b"monai.bundle" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the processes in /proc")
def test_a_killed_process_ends_the_run_and_resumes(images, tmp_path):
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    changes = {"epochs": 8, "train#random_transforms": "[]"}
    command = [sys.executable, *LAUNCHER, "-m", "monai.bundle", *words(cut, images, **changes)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 120
        while not (cut / "models" / "last.pt").is_file() and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(processes_of(running)[1], signal.SIGKILL)
        _out, error = running.communicate(timeout=90)  # the other process is not left waiting
    assert running.returncode != 0
    assert "SIGKILL" in error or "Signal 9" in error
    epoch = torch.load(cut / "models" / "last.pt", weights_only=True)["epoch"]
    assert epoch < 8
    resumed = monai_bundle(*words(cut, images, **changes, resume=True), launcher=LAUNCHER)
    assert resumed.returncode == 0, resumed.stderr
    assert f"resumed after epoch {epoch} of 8" in resumed.stderr
    assert monai_bundle(*words(whole, images, **changes), launcher=LAUNCHER).returncode == 0
    torch.testing.assert_close(weights(cut), weights(whole), rtol=0, atol=0)
    assert [row["epoch"] for row in history(cut)] == list(range(1, 9))


def test_without_torchrun_the_cure_is_named(images, tmp_path):
    done = monai_bundle(*words(tmp_path, images))
    assert done.returncode != 0
    assert "start with `torchrun" in done.stderr
