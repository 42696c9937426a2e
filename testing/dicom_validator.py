"""What dciodvfy of dicom3tools finds wrong with a DICOM file."""

import shutil
import subprocess
from pathlib import Path

import pytest


def dicom_errors(path: Path) -> list[str]:
    """Return the errors, without warnings; skip the test where the program is missing."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed: apt-get install dicom3tools")
    done = subprocess.run(
        ["dciodvfy", "-new", str(path)], capture_output=True, text=True, errors="replace", check=False, timeout=60
    )
    said = (done.stdout + done.stderr).splitlines()
    assert said, f"{path}: dciodvfy says nothing"  # not even what kind of object it is
    return [line for line in said if line.startswith("Error")]
