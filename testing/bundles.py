"""Running a bundle as a user does: its command line, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = sorted(path for path in (ROOT / "bundles").iterdir() if (path / "configs").is_dir())


def monai_bundle(
    *words: str,
    cwd: Path = ROOT,
    launcher: Sequence[str] = (),
    paths: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m monai.bundle`` with these words; the result holds its output and exit status."""
    start = [sys.executable, *launcher, "-m", "monai.bundle", *words]
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths))),
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        **(environment or {}),
    }
    return subprocess.run(start, cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=timeout)


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


def volume_folders(root: Path, names: Sequence[str], count: int = 10) -> Path:
    """Fill class folders with small NIfTI volumes that differ by class: cubes of other Hounsfield units."""
    import nibabel

    rng = np.random.default_rng(0)
    for level, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for i in range(count):
            values = rng.integers(-1000, -800, (30, 34, 32), dtype=np.int16)
            values[8:24, 8:24, 8:24] += np.int16(200 + 1000 * level // max(1, len(names) - 1))
            nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.5, -1.5, 1.5, 1])), root / name / f"{i}.nii.gz")
    return root


def sample_training(bundle: Path, root: Path) -> dict[str, object]:
    """Return the settings of a training on a few small pictures or volumes, whatever the bundle reads."""
    volumes = "volume_size" in json.loads((bundle / "configs" / "train.json").read_text(encoding="utf-8"))
    folder = (volume_folders if volumes else class_folders)(root, ["a", "b"])
    size = {"volume_size": [32, 32, 32]} if volumes else {"image_size": 32, "layout": {}}
    return {"dataset_dir": str(folder), "variant": "nano", "batch_size": 4, "epochs": 1, **size}
