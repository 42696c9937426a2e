"""Run tests and say what came of them; no figure is taken on a red gate."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "MONAI_MEDMAMBA_TEST_BACKENDS"


def run_tests(*arguments: str, required: str | None = None) -> dict:
    """Run pytest in a process of its own and return its status and counts; ``required`` backends must run."""
    environment = dict(os.environ) if required is None else os.environ | {VARIABLE: required}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, f"--junitxml={log}"]
        status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if not log.is_file():  # pytest did not get as far as the tests
            return {"status": status, "passed": 0, "failed": 1, "skipped": 0, "seconds": 0.0}
        suite = ElementTree.parse(log).getroot().find("testsuite").attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    return {
        "status": status,
        "passed": int(suite["tests"]) - failed - int(suite["skipped"]),
        "failed": failed,
        "skipped": int(suite["skipped"]),
        "seconds": float(suite["time"]),
    }


def is_green(outcome: dict) -> bool:
    """Tell whether tests ran and none failed."""
    return outcome["status"] == 0 and outcome["passed"] > 0


def gate(device: str, required: str | None) -> dict:
    """Run the operation's tests for a device: all that need a GPU, or all that do not."""
    marker = "gpu" if device == "cuda" else "not gpu and not slow"
    return run_tests("-m", marker, "tests/ops", required=required)
