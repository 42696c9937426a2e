"""Running a bundle as a user does: its command line, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = sorted(path for path in (ROOT / "bundles").iterdir() if (path / "configs").is_dir())


def monai_bundle(
    *words: str, cwd: Path = ROOT, launcher: Sequence[str] = (), paths: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m monai.bundle`` with these words; the result holds its output and exit status."""
    start = [sys.executable, *launcher, "-m", "monai.bundle", *words]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths))),
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(start, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600)


def class_folders(root: Path, names: Sequence[str], count: int = 10) -> Path:
    """Fill class folders with small pictures that differ by class: brightness tells them apart."""
    rng = np.random.default_rng(0)
    for level, name in enumerate(names):
        folder = root / name
        folder.mkdir(parents=True)
        for i in range(count):
            low = 200 * level // max(1, len(names) - 1)
            pixels = rng.integers(low, low + 56, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    return root
