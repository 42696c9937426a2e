"""Run the GPU tests and record what ran where: ``make test-gpu``.

Backends named in ``MONAI_MEDMAMBA_TEST_BACKENDS`` must run: their tests fail instead of skipping. The record goes to
``benchmarks/results/<date>-gpu-tests.json`` (another folder with ``--out``); the exit status is pytest's.
"""

import argparse
import datetime
import json
import os
import sys
from pathlib import Path

import torch
from gate import run_tests
from provenance import commit, versions
from targets import RESULTS


def main() -> int:
    """Run the tests, write the record, and return pytest's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    outcome = run_tests("-m", "gpu", "tests")
    status = outcome.pop("status")
    today = datetime.date.today().isoformat()
    record = {
        "date": today,
        "commit": commit(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": versions(),
        "required_backends": os.environ.get("MONAI_MEDMAMBA_TEST_BACKENDS", ""),
        **outcome,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{today}-gpu-tests.json").write_text(json.dumps(record, indent=4) + "\n")
    print(json.dumps(record, indent=4))
    return status


if __name__ == "__main__":
    sys.exit(main())
