"""The record of a script that measures one thing on one GPU, and the two options that it takes."""

import argparse
from pathlib import Path

import torch
from record import Record
from targets import RESULTS


def gpu_record(description: str | None, kind: str, seconds: float, notes: dict) -> Record:
    """Read the command line and return the record ``<date>-<kind>-<device>.json``, which has one section, ``kind``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="folder of the record; benchmarks/results if not given"
    )
    parser.add_argument("--seconds", type=float, default=seconds, help=f"no row begins after that ({seconds:g})")
    arguments = parser.parse_args()
    name = torch.cuda.get_device_name()
    path = arguments.out / f"{Record.today()}-{kind}-{name.lower().replace(' ', '-')}.json"
    record = Record(path, name, arguments.seconds, notes)
    record.section = kind
    return record
