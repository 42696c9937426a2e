"""Plan, train and evaluate data sets as a user would: ``python benchmarks/planned.py FOLDER kvasir_seg_patches ...``.

For each data set: ``medmamba plan``, then the bundle's training and evaluation through ``python -m monai.bundle``, no
file touched between them; with ``--baseline`` the same once more with another network, with ``--seeds`` once for each,
with ``--gpus`` as many at a time as there are GPUs. Test figures and times go to
``benchmarks/results/<date>-planned-<device>.json``.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import torch
from record import Record
from targets import RESULTS

FIGURES = ("accuracy", "balanced_accuracy", "auc", "f1")
SETS = {
    "kvasir_seg_patches": ["kvasir_seg_patches"],
    "busi_256": ["busi_256"],
    "busi_256, BreastMNIST's split": ["--task", "medmamba_breast_us"],
    "breastmnist": ["medmnist/breastmnist.npz"],
    "pneumoniamnist_union": ["medmnist/pneumoniamnist_union.npz"],
    "mednist": ["mednist"],
}


def call(*words: str, gpu: str | None = None) -> float:
    """Run a command, on one GPU if there are several, and return its seconds; an error shows what it said."""
    began = time.monotonic()
    environment = os.environ if gpu is None else {**os.environ, "CUDA_VISIBLE_DEVICES": gpu}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        causes = [line for line in done.stderr.splitlines() if re.search(r"\bERROR|Error\b", line)]
        kind = next((word for word in words if word in ("plan", "training", "evaluating")), words[0])
        raise RuntimeError(f"{kind}: {' | '.join(causes[:3]) or 'no error was told'}"[:600])
    return round(time.monotonic() - began, 1)


def plan(name: str, data: Path, bundle: Path, words: list[str]) -> list[str]:
    """Write the bundle and return what training and evaluation must be told beside."""
    first, *rest = SETS[name]
    where = ["--task", rest[0]] if first == "--task" else [str(data / first)]
    kept = [] if first == "--task" else ["--fingerprint", str(bundle) + "-fingerprint"]
    call("medmamba", "plan", *where, "--out", str(bundle), *kept, "--overwrite", "--quiet", *words)
    return ["--dataset_dir", str(data / "busi_256")] if first == "--task" else []


def train(bundle: Path, name: str, overlay: list[str], told: list[str], gpu: str | None) -> dict:
    """Train and evaluate a planned bundle; return its test figures and times."""
    configs, out = bundle / "configs", bundle / name
    told = [*told, "--output_dir", str(out / "output"), "--ckpt_dir", str(out / "models")]
    start = [sys.executable, "-m", "monai.bundle", "run"]
    files = [str(configs / "train.json"), *overlay]
    seconds = call(*start, "training", "--config_file", str(files), *told, gpu=gpu)
    call(*start, "evaluating", "--config_file", str([*files, str(configs / "evaluate.json")]), *told, gpu=gpu)
    metrics = json.loads((out / "output" / "evaluation" / "metrics.json").read_text())
    run = json.loads((out / "output" / "run.json").read_text())
    settings = {key: run["config"][key] for key in ("variant", "image_size", "epochs", "batch_size", "learning_rate")}
    return {"test_images": metrics["images"], **{f: metrics[f] for f in FIGURES}, "seconds": seconds, **settings}


def submit(arguments: argparse.Namespace, record: Record, pool: ThreadPoolExecutor) -> dict[Future, dict]:
    """Plan every data set and queue its trainings, those of one seed before the next; return what each is of."""
    networks = {
        "medmamba": [],
        **{name: files.split(",") for name, _, files in (b.partition("=") for b in arguments.baseline)},
    }
    if arguments.no_medmamba:
        del networks["medmamba"]
    free: SimpleQueue[str | None] = SimpleQueue()
    for gpu in arguments.gpus or [None]:
        free.put(gpu)

    def job(*words) -> dict:
        if record.elapsed() > arguments.seconds:
            raise TimeoutError(f"left out: the run's time was used up after {record.elapsed():.0f} s")
        gpu = free.get()
        try:
            return train(*words, gpu)
        finally:
            free.put(gpu)

    planned = {}
    for data_set in arguments.sets:
        bundle = arguments.work / re.sub(r"\W+", "-", data_set).lower()
        planned[data_set] = bundle, plan(data_set, arguments.data, bundle, arguments.plan)
    jobs = {}
    for seed in arguments.seeds:
        for data_set, (bundle, told) in planned.items():
            for network, overlay in networks.items():
                words = bundle, f"{network}-{seed}", overlay, [*told, "--seed", str(seed)]
                jobs[pool.submit(job, *words)] = {"what": data_set, "network": network, "seed": seed}
    return jobs


def main() -> int:
    """Measure every data set that is asked for, and return 1 if a row failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the data sets")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"all, or some of {', '.join(map(repr, SETS))}")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="where the bundles are written")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the record")
    parser.add_argument(
        "--plan", nargs="+", default=[], metavar="WORD", help="more for medmamba plan, as --plan=--budget=6m"
    )
    parser.add_argument(
        "--baseline", action="append", default=[], metavar="NAME=FILE,FILE", help="overlays of a baseline"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="N", help="one training each (0)")
    parser.add_argument("--gpus", nargs="+", metavar="N", help="numbers of GPUs that train side by side")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no training after this long")
    parser.add_argument("--no-medmamba", action="store_true", help="measure the baselines alone")
    arguments = parser.parse_args()
    arguments.sets = arguments.sets or list(SETS)
    if unknown := set(arguments.sets) - set(SETS):
        parser.error(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(map(repr, SETS))}")
    cuda = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    kind = name.lower().replace(" ", "-") if cuda else "cpu"
    path = arguments.out / f"{Record.today()}-planned-{kind}.json"
    record = Record(path, name, float("inf"), {"plan": arguments.plan, "side_by_side": len(arguments.gpus or [0])})
    record.section = "planned"
    with ThreadPoolExecutor(len(arguments.gpus or [0])) as pool:
        jobs = submit(arguments, record, pool)
        rows = [record.row(jobs[done], partial(done.result)) for done in as_completed(jobs)]
    return int(any("failed" in row for row in rows))


if __name__ == "__main__":
    sys.exit(main())
