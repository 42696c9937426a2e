"""Time the scan and the network on this machine: ``python benchmarks/run.py``.

On a CPU: the scan, inference at batch 1, a training step, and how time and memory grow with the image; with
``--published`` beside the published code on mamba-ssm's reference recurrence, the only one it has for a CPU. Run the
tests of the operation first: ``make bench`` does.

On a GPU (``--device cuda``): the operation's tests as a gate, then sections of rows beside the published code
(``--published``, the folder of a checkout) and beside peers from timm, which want mamba-ssm, einops and timm.

Random data, warm-up, medians. The record is ``benchmarks/results/<date>-speed-<device>.json``, written row by
row. ``--quick`` runs the sections of the GPU at tiny sizes on any device, to try them out; its record goes nowhere
near the others.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import core
import feeding
import inference
import losses
import scaling
import torch
import training
from cases import BACKENDS, QUICK, Scale
from cpu_rows import cpu_rows
from gate import gate, is_green
from published import PublishedError, load, revision
from record import Record
from suite import Suite
from targets import RESULTS, print_targets, write_targets

from monai_medmamba.information import backend_states
from monai_medmamba.ops.cross_selective_scan import cpu

SECTIONS = {
    "compile": training.compiled,
    "core": core.measure,
    "logits": inference.logits,
    "inference": inference.measure,
    "training": training.measure,
    "scaling": scaling.measure,
    "losses": losses.measure,
    "feeding": feeding.measure,
    "compiled-peers": training.compiled_peers,
}


def parse() -> argparse.Namespace:
    """Return what the user asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--out", type=Path, help="folder of the record; benchmarks/results if not given")
    parser.add_argument("--threads", type=int, default=2, help="on a CPU, of torch and of the backend cpu")
    parser.add_argument("--repeats", type=int, default=15, help="on a CPU")
    parser.add_argument("--published", type=Path, metavar="FOLDER", help="a checkout of the published code")
    suite = parser.add_argument_group("sections of the GPU")
    suite.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="NAME")
    suite.add_argument("--backends", nargs="+", metavar="NAME", help="of the scan; the networks run on the first")
    suite.add_argument("--seconds", type=float, default=360, help="no row begins after that")
    suite.add_argument("--no-gate", action="store_true", help="do not run the operation's tests first")
    suite.add_argument("--no-compile", action="store_true", help="leave out what torch.compile takes minutes for")
    suite.add_argument("--quick", action="store_true", help="tiny sizes, on any device; measures nothing")
    return parser.parse_args()


def time_cpu(arguments: argparse.Namespace) -> None:
    """Measure the rows of a CPU and write their record."""
    states = backend_states(torch.device("cpu"))
    name = f"cpu-{cpu.ISA_NAMES[cpu.best_isa()]}"
    notes = {
        "threads": arguments.threads,
        "published_commit": revision(arguments.published) if arguments.published else None,
    }
    published = load(arguments.published, torch.device("cpu")) if arguments.published else None
    record = Record(record_path(arguments, name), name, float("inf"), notes)
    backends = [name for name, reasons in states.items() if not reasons]
    record.content["rows"] += cpu_rows(backends, arguments.repeats, published)
    record.save()
    finish(arguments, record)


def time_sections(arguments: argparse.Namespace) -> int:
    """Measure the sections of the GPU, keep the record up to date, and return the exit status."""
    device = torch.device(arguments.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    backends = tuple(arguments.backends or BACKENDS[device.type])
    torch.backends.cudnn.benchmark = True  # for everybody
    network = load(arguments.published, device) if arguments.published else None
    notes = {
        "quick": arguments.quick,
        "backends": list(backends),
        "published_commit": revision(arguments.published) if arguments.published else None,
        "cudnn_benchmark": True,
    }
    record = Record(record_path(arguments, name), name, arguments.seconds, notes)
    sections = [section for section in arguments.sections if not (arguments.no_compile and "compile" in section)]
    record.keep_other_sections(sections)
    record.content["gate"] = {"skipped": "--no-gate"} if arguments.no_gate else None
    if not arguments.no_gate:
        required = ",".join(b for b in backends if b != "chunked")
        record.content["gate"] = gate(device.type, required)
        print(record.content["gate"], flush=True)
    record.save()
    if not arguments.no_gate and not is_green(record.content["gate"]):
        print(f"the operation's tests are red: nothing is timed ({record.path})")
        return 1
    suite = Suite(record, device, QUICK if arguments.quick else Scale(), backends, network)
    for section in sections:
        record.run_section(section, lambda measure=SECTIONS[section]: measure(suite))
    finish(arguments, record)
    return 0


def record_path(arguments: argparse.Namespace, device: str) -> Path:
    """Return where the record goes; that of a quick run must not pass for a measurement."""
    kind = "quick" if arguments.quick else "speed"
    folder = arguments.out or (Path(tempfile.mkdtemp()) if arguments.quick else RESULTS)
    return folder / f"{Record.today()}-{kind}-{device.lower().replace(' ', '-')}.json"


def finish(arguments: argparse.Namespace, record: Record) -> None:
    """Print every target that the record holds, and bring the list of targets up to date."""
    print_targets(record.content, record.path.name)
    if record.path.parent == RESULTS and not arguments.quick:
        write_targets()
    print(record.path)


def main() -> int:
    """Time what this device is asked for."""
    arguments = parse()
    if arguments.device == "cpu":
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    if arguments.device == "cuda" or arguments.quick:
        return time_sections(arguments)
    time_cpu(arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PublishedError as error:
        sys.exit(f"--published: {error}")
