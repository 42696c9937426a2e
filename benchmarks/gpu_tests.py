"""Run the GPU tests and record what ran where: ``make test-gpu``.

Backends named in ``MONAI_MEDMAMBA_TEST_BACKENDS`` must run: their tests fail instead of skipping. The record goes to
``benchmarks/results/<date>-gpu-tests.json`` (another folder with ``--out``); the exit status is pytest's.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from provenance import commit
from targets import RESULTS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("torch", "triton", "monai", "mamba-ssm", "numpy")


def found(package: str) -> str | None:
    """Return a package's version, or None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def main() -> int:
    """Run the tests, write the record, and return pytest's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "tests", f"--junitxml={log}"]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        suite = ElementTree.parse(log).getroot().find("testsuite").attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    today = datetime.date.today().isoformat()
    record = {
        "date": today,
        "commit": commit(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {"python": sys.version.split()[0], **{name: found(name) for name in PACKAGES}},
        "required_backends": os.environ.get("MONAI_MEDMAMBA_TEST_BACKENDS", ""),
        "passed": int(suite["tests"]) - failed - int(suite["skipped"]),
        "failed": failed,
        "skipped": int(suite["skipped"]),
        "seconds": float(suite["time"]),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{today}-gpu-tests.json").write_text(json.dumps(record, indent=4) + "\n")
    print(json.dumps(record, indent=4))
    return status


if __name__ == "__main__":
    sys.exit(main())
