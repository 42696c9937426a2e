"""Where a record comes from."""

import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "triton", "monai", "mamba-ssm", "timm", "numpy", "onnx", "onnxscript", "onnxruntime")


def commit() -> str | None:
    """Return what ``MEDMAMBA_COMMIT`` says, for a copy of a tree, or else the commit that is checked out."""
    if named := os.environ.get("MEDMAMBA_COMMIT"):
        return named
    here = Path(__file__).parent
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.strip()


def versions() -> dict[str, str | None]:
    """Return the versions of Python, of the CUDA that torch was built for, and of packages; None if not installed."""

    def found(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    named = {"python": sys.version.split()[0], "cuda": torch.version.cuda}
    return named | {package: found(package) for package in PACKAGES}


def write_record(name: str, content: Mapping[str, object]) -> Path:
    """Write a record of the CPU among the results, print its path and return it."""
    record = {**header(), **content}
    path = RESULTS / f"{record['date']}-{name}.json"
    path.write_text(json.dumps(record, indent=4) + "\n")
    print(path)
    return path


def header() -> dict[str, object]:
    """Return what every record of the CPU begins with."""
    device = platform.processor() or platform.machine()
    return {"date": str(datetime.date.today()), "commit": commit(), "device": device, "versions": versions()}
