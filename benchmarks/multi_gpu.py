"""Measure training on several GPUs against one: images a second, end to end, and whether the gradients are the same.

``python benchmarks/multi_gpu.py --counts 1 2`` on a machine with two GPUs takes about six minutes. Every run is the
bundle's own training through torchrun, on JPEG files made from the phantoms, in two series: the same whole batch, and
the same batch for each process. On a machine without a GPU the processes talk through gloo; ``--quick`` makes it small.
The record goes to ``benchmarks/results/<date>-multi-gpu.json`` (another folder with ``--out``).
"""

import argparse
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import torch
from feeding import write_images
from record import Record
from targets import RESULTS
from torch import Tensor

from monai_medmamba.bundle import find_overlay
from monai_medmamba.distributed import (
    JoinedLoss,
    enter_processes,
    join_batchnorm,
    join_gradients,
    leave_processes,
    process_count,
    process_device,
    process_rank,
)
from monai_medmamba.networks import GraphedTraining, create_medmamba

ROOT = Path(__file__).resolve().parent.parent
TRAIN = ROOT / "bundles" / "medmamba_endo" / "configs" / "train.json"
STEPS = 4  # that compare gradients: the first records the graphs, the others replay them
# Graph, joined batch normalisation, bf16. Without joining, gradients differ by more than rounding, as they should.
CPU_CASES = ((False, True, False),)
GPU_CASES = ((True, True, True), (True, True, False), *CPU_CASES, (True, False, False))
PARTS = ("training", "killed", "gradients")
LIMIT = 150  # seconds for what a process group does at once; one that hangs is ended, and its row says so


def start(count: int, words: list[str]) -> subprocess.Popen:
    """Start words in some processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count), *words]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def torchrun(count: int, words: list[str]) -> str:
    """Run words in some processes and return what they wrote; an error says what went wrong first."""
    with start(count, words) as running:
        try:
            _, said = running.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            running.terminate()
            raise TimeoutError(f"{count} processes had not ended after {LIMIT} s") from None
    if running.returncode:
        causes = [line for line in said.splitlines() if re.search(r"(Error|Exception|refused|failed)\b", line)]
        raise RuntimeError(f"{count} processes left with {running.returncode}: {' | '.join(causes[:4])}"[:2000])
    return said


def training(batch: int, scale: argparse.Namespace, folder: Path, where: Path) -> list[str]:
    """Return the words that train the bundle."""
    values = {"dataset_dir": folder / "images", "output_dir": where / "output", "ckpt_dir": where / "models"}
    values |= {"variant": scale.variant, "image_size": scale.size, "batch_size": batch, "epochs": scale.epochs}
    values |= {"val_interval": scale.epochs, "sync_batchnorm": scale.sync_batchnorm}
    configs = f"['{TRAIN}','{find_overlay('multi_gpu_train').path}']"
    words = [word for name, value in values.items() for word in (f"--{name}", str(value))]
    return ["-m", "monai.bundle", "run", "training", "--config_file", configs, *words]


def history(where: Path) -> list[dict[str, str]]:
    """Return what a training noted of its epochs."""
    with (where / "output" / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def throughput(count: int, batch: int, scale: argparse.Namespace, folder: Path) -> dict:
    """Train the bundle and return its images a second, of the epochs between the first and the last."""
    where = folder / f"{count}-{batch}-{scale.sync_batchnorm}"
    torchrun(count, training(batch, scale, folder, where))
    rows = history(where)
    taken = scale.images // batch * batch
    rates = [taken / float(row["seconds"]) for row in rows]
    losses = [float(row["train_loss"]) for row in rows]
    return {
        "images_per_second": round(median(rates[1:-1]), 1),  # the last validates
        "epochs": [round(rate, 1) for rate in rates],
        "train_loss": [round(loss, 5) for loss in losses],
    }


def killed(count: int, batch: int, scale: argparse.Namespace, folder: Path) -> dict:
    """Kill the last process once a checkpoint is there, see the others end, resume, and return how that went."""
    where = folder / f"{count}-killed"
    words = training(batch, scale, folder, where)
    with start(count, words) as running:
        until = time.monotonic() + LIMIT
        while not (where / "models" / "last.pt").is_file() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        workers = [child for child in children if b"monai.bundle" in Path(f"/proc/{child}/cmdline").read_bytes()]
        os.kill(int(workers[-1]), signal.SIGKILL)
        began = time.monotonic()
        running.communicate()
    seconds = round(time.monotonic() - began, 1)
    left = [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    cut = torch.load(where / "models" / "last.pt", weights_only=True)["epoch"]
    said = torchrun(count, [*words, "--resume", "True"])
    return {
        "left_with": running.returncode,
        "seconds_to_end": seconds,
        "processes_left": len(left),
        "killed_after_epoch": cut,
        "resumed": f"resumed after epoch {cut} of {scale.epochs}" in said,
        "epochs": [int(float(row["epoch"])) for row in history(where)],
    }


def gradients(scale: argparse.Namespace, folder: Path) -> None:
    """In each process: train some steps on its share of a fixed batch, for each case in turn; the first one writes."""
    device = process_device()
    enter_processes(device)
    modules, found = torch.nn.ModuleList(), []
    for case in scale.cases:
        module, result = steps(scale, device, *case)
        modules.append(module)
        found.append(result)
    if process_rank() == 0:
        torch.save(found, folder / f"{process_count()}.pt")
    leave_processes(modules)


def steps(
    scale: argparse.Namespace, device: torch.device, shuffled: bool, graph: bool, sync: bool, bf16: bool
) -> tuple[torch.nn.Module, dict]:
    """Train some steps and return the module, whose graphs live until the group is left, with gradients and losses."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(scale.batch, 3, scale.size, scale.size, generator=generator)
    labels = torch.randint(8, (scale.batch,), generator=generator)
    order = torch.randperm(scale.batch, generator=generator) if shuffled else torch.arange(scale.batch)
    mine = order[process_rank() :: process_count()]
    x, labels = x[mine].to(device), labels[mine].to(device)
    torch.manual_seed(0)
    network = create_medmamba(scale.variant, num_classes=8, drop_path_rate=0.0)
    network = (join_batchnorm(network, device) if sync else network).to(device).train()
    module = join_gradients(GraphedTraining(network) if graph else network, device)
    loss_function = JoinedLoss(torch.nn.CrossEntropyLoss(torch.linspace(0.5, 2.0, 8, device=device)))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    losses, found = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            loss = loss_function(module(x), labels)
        loss.backward()
        found.append(torch.cat([p.grad.detach().flatten().double().cpu() for p in network.parameters()]))
        optimizer.step()
        losses.append(loss.item())
    return module, {"gradients": torch.stack(found), "losses": losses}


def difference(found: Tensor, expected: Tensor) -> list[float]:
    """Return for each step the distance of two gradients over the length of the second."""
    ratio = (found - expected).norm(dim=1) / expected.norm(dim=1)
    return [float(f"{value:.3g}") for value in ratio]


def launch(count: int, scale: argparse.Namespace, folder: Path) -> list[dict]:
    """Return the gradients and losses of each case in some processes; one process takes each in another order too."""
    orders = (False, True) if count == 1 else (False,)
    cases = [(shuffled, *case) for shuffled in orders for case in scale.cases]
    torchrun(count, [str(Path(__file__)), "--worker", json.dumps({**vars(scale), "cases": cases}), str(folder)])
    return torch.load(folder / f"{count}.pt", weights_only=True)


def measure_gradients(record: Record, counts: list[int], scale: argparse.Namespace, folder: Path) -> None:
    """Measure how far gradients are from one process; and how far that is from itself with its images reordered."""
    alone = launch(1, scale, folder)
    expected, reordered = alone[: len(scale.cases)], alone[len(scale.cases) :]
    for count in counts:
        several = launch(count, scale, folder)
        for case, found, one, other in zip(scale.cases, several, expected, reordered, strict=True):
            what = {"what": "gradients", "processes": count, "batch": scale.batch, "size": scale.size}
            what |= {"network": scale.variant, **dict(zip(("graph", "sync_batchnorm", "bf16"), case, strict=True))}
            figures = {
                "difference": difference(found["gradients"], one["gradients"]),
                "rounding": difference(other["gradients"], one["gradients"]),
                "losses": found["losses"],
                "losses_of_one": one["losses"],
            }
            record.row(what, lambda figures=figures: figures)


def measure_killed(record: Record, counts: list[int], batch: int, scale: argparse.Namespace, folder: Path) -> None:
    """Measure what becomes of a run of which a process is killed."""
    of = argparse.Namespace(**vars(scale), sync_batchnorm=True)
    for count in counts:
        what = {"what": "a process is killed", "processes": count, "batch": batch * count}
        what |= {"size": scale.size, "network": scale.variant, "images": scale.images}
        record.row(what, partial(killed, count, batch * count, of, folder))


def measure_training(record: Record, counts: list[int], batch: int, scale: argparse.Namespace, folder: Path) -> None:
    """Measure trainings: as many images for each process, batch normalisation joined and not; then the same batch."""
    several = [count for count in counts if count > 1]
    trainings = [(1, batch, True)] if 1 in counts else []
    trainings += [(count, batch * count, sync) for count in several for sync in (True, False)]
    trainings += [(count, batch, True) for count in several]
    for count, whole, sync in trainings:
        of = argparse.Namespace(**vars(scale), sync_batchnorm=sync)
        what = {"what": "training", "processes": count, "sync_batchnorm": sync, "batch": whole}
        what |= {"size": scale.size, "network": scale.variant, "images": scale.images}
        record.row(what, partial(throughput, count, whole, of, folder))


def measure(record: Record, arguments: argparse.Namespace, on_gpu: bool) -> None:
    """Measure every section asked for, what matters most first."""
    scale = argparse.Namespace(variant="tiny", size=224, images=4096, epochs=4)
    if arguments.quick:
        scale = argparse.Namespace(variant="nano", size=32, images=64, epochs=3)
    scale.images, batch = arguments.images or scale.images, 16 if arguments.quick else arguments.batch
    several = [count for count in arguments.counts if count > 1]
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.work or Path(name)
        if {"training", "killed"} & set(arguments.parts) and not (folder / "images").is_dir():
            write_images(folder / "images", scale.images)
        compared = argparse.Namespace(variant=scale.variant, size=scale.size, batch=min(batch, 64))
        compared.cases = GPU_CASES if on_gpu else CPU_CASES
        sections = {
            "training": partial(measure_training, record, arguments.counts, batch, scale, folder),
            "killed": partial(measure_killed, record, several, batch, scale, folder),
            "gradients": partial(measure_gradients, record, several, compared, folder),
        }
        for part in arguments.parts:
            record.run_section(part, sections[part])


def main() -> int:
    """Measure, and return 1 if a row failed."""
    if sys.argv[1:2] == ["--worker"]:
        gradients(argparse.Namespace(**json.loads(sys.argv[2])), Path(sys.argv[3]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2], metavar="N", help="of processes, 1 first")
    parser.add_argument("--batch", type=int, default=128, metavar="N", help="images of one process (128)")
    parser.add_argument("--images", type=int, metavar="N", help="to train on (4096)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--seconds", type=float, default=1500, help="begin no row after this long")
    parser.add_argument("--work", type=Path, help="folder of images, taken if they are there, and of trainings")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    on_gpu = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    path = arguments.out / f"{Record.today()}-multi-gpu.json"
    record = Record(path, device, arguments.seconds, {"gpus": torch.cuda.device_count()})
    measure(record, arguments, on_gpu)
    return int(any("failed" in row for row in (*record.rows, *record.content["sections"].values())))


if __name__ == "__main__":
    raise SystemExit(main())
