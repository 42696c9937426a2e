"""A studies folder of phantoms, a small bundle, and the real MONAI Label server on this machine."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from PIL import Image

from monai_medmamba.data.phantoms import draw_phantom
from monai_medmamba.networks import medmamba_nano, save_weights

ROOT = Path(__file__).parents[1]
CLASSES = ("normal-cecum", "polyps", "ulcerative-colitis")
SIZE = 32


def make_bundle(folder: Path, name: str = "medmamba_test", *, weights: bool = True, temperature: float = 1.5) -> Path:
    """A copy of the endoscopy bundle with three classes, and weights that have learned nothing."""
    root = folder / name
    shutil.copytree(ROOT / "bundles" / "medmamba_endo" / "configs", root / "configs")
    path = root / "configs" / "metadata.json"
    metadata = json.loads(path.read_text("utf-8"))
    pred = metadata["network_data_format"]["outputs"]["pred"]
    pred["channel_def"] = {str(i): label for i, label in enumerate(CLASSES)}
    path.write_text(json.dumps(metadata), "utf-8")
    if weights:
        write_weights(root / "models" / "model.safetensors", temperature=temperature)
    return root


def write_weights(
    path: Path, names: Sequence[str] = CLASSES, *, seed: int = 0, temperature: float = 1.5, several: bool = False
) -> Path:
    """Weights of a nano that has learned nothing."""
    torch.manual_seed(seed)
    kept = {"image_size": SIZE, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(path, medmamba_nano(num_classes=len(names)), names, kept, {"temperature": temperature}, several)
    return path


def make_studies(folder: Path, each: int = 3) -> dict[str, str]:
    """Pictures ``each`` of every class, under names that do not tell it; returns the class of each."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for number in range(each):
        for index, label in enumerate(CLASSES):
            name = f"image-{number * len(CLASSES) + index:03d}.png"
            Image.fromarray(draw_phantom(label, number, size=64)).save(folder / name)
            truth[name] = label
    return truth


def label_environment(home: Path) -> dict[str, str]:
    """The environment of a server that leaves no trace and shares two cores with the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MONAI_LABEL")}
    bin_folder = os.path.dirname(sys.executable)
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{bin_folder}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }


@contextlib.contextmanager
def label_server(folder: Path, studies: Path | str, models: str, *conf: str) -> Iterator[str]:
    """Runs the server with the words of the documentation; gives its address."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = label_environment(folder)
    print_app = [sys.executable, "-m", "monai_medmamba", "label-app", "--out", str(folder / "app")]
    app = subprocess.run(print_app, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "monailabel.main", "start_server", "--app", app, "--studies", str(studies)]
    command += ["--conf", "models", models, *conf, "--host", "127.0.0.1", "--port", str(port)]
    address, log = f"http://127.0.0.1:{port}", folder / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=stream, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(address, process, log)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_up(address: str, process: subprocess.Popen, log: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/info/", timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not come up:\n{log.read_text('utf-8', 'replace')[-3000:]}")
