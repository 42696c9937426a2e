"""Plan, train and evaluate data sets as a user would: ``python benchmarks/planned.py FOLDER kvasir_seg_patches ...``.

For each data set: ``medmamba plan``, then the bundle's training and evaluation through ``python -m monai.bundle``, no
file touched between them; with ``--baseline`` the same once more with another network. Test figures, intervals and
times go to ``benchmarks/results/<date>-planned-<device>.json``.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

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


def call(*words: str) -> float:
    """Run a command and return its seconds; an error shows the end of what it said."""
    began = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
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


def train(bundle: Path, kind: str, overlay: list[str], told: list[str]) -> dict:
    """Train and evaluate a planned bundle; return its test figures and times."""
    configs, out = bundle / "configs", bundle / kind
    told = [*told, "--output_dir", str(out / "output"), "--ckpt_dir", str(out / "models")]
    start = [sys.executable, "-m", "monai.bundle", "run"]
    files = [str(configs / "train.json"), *overlay]
    seconds = call(*start, "training", "--config_file", str(files), *told)
    call(*start, "evaluating", "--config_file", str([files[0], *overlay, str(configs / "evaluate.json")]), *told)
    metrics = json.loads((out / "output" / "evaluation" / "metrics.json").read_text())
    run = json.loads((out / "output" / "run.json").read_text())
    settings = {key: run["config"][key] for key in ("variant", "image_size", "epochs", "batch_size", "learning_rate")}
    return {"test_images": metrics["images"], **{f: metrics[f] for f in FIGURES}, "seconds": seconds, **settings}


def main() -> int:
    """Measure every data set that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the data sets")
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], default=list(SETS), metavar="SET")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="where the bundles are written")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the record")
    parser.add_argument(
        "--plan", nargs="+", default=[], metavar="WORD", help="more for medmamba plan, as --plan=--budget=6m"
    )
    parser.add_argument(
        "--baseline", action="append", default=[], metavar="NAME=FILE,FILE", help="overlays of a baseline"
    )
    parser.add_argument("--part", default="", help="a word in the record's name, where runs are measured apart")
    parser.add_argument("--no-medmamba", action="store_true", help="measure the baselines alone")
    arguments = parser.parse_args()
    cuda = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    kind = "nvidia-h100" if cuda else "cpu"
    record = Record(
        arguments.out / f"{Record.today()}-planned-{kind}.json", name, float("inf"), {"plan": arguments.plan}
    )
    record.section = "planned"
    networks = {
        "medmamba": [],
        **{name: files.split(",") for name, _, files in (b.partition("=") for b in arguments.baseline)},
    }
    if arguments.no_medmamba:
        del networks["medmamba"]
    for data_set in arguments.sets:
        bundle = arguments.work / data_set.split(",")[0].replace("busi_256", "busi" if "," not in data_set else "busi2")
        told = plan(data_set, arguments.data, bundle, arguments.plan)
        for network, overlay in networks.items():
            what = {"what": data_set, "network": network}
            record.row(what, partial(train, bundle, network, overlay, told))
    record.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
