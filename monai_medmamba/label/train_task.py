"""Training on the labels in the studies, as MONAI Label asks for it."""

from __future__ import annotations

import csv
import datetime
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from monailabel.interfaces.tasks.train import TrainTask

from ..data import Datalist, DatasetError, Sample
from ..files import atomic_path
from .agreement import judge
from .background_jobs import Job
from .fine_tuning import write_training
from .image_store import ImageStore
from .request_error import RequestError
from .served_model import ServedModel
from .validation_split import keep_out

__all__ = ["FineTune", "read_record"]

logger = logging.getLogger(__name__)

RECORD, LOG = "training.json", "training.log"
_LEAST_TO_CALIBRATE = 20  # validation images
_LONGEST_EPOCHS, _LONGEST_SECONDS = 1000, 24 * 3600
_DEFAULTS = {"max_epochs": 30, "learning_rate": 0.001, "batch_size": 32, "seed": 0}


class FineTune(TrainTask):
    """Trains a bundle's network on all labelled images, from the weights in use, and takes the best epoch into use.

    Args:
        model: Whose weights are trained.

    Example:
        >>> FineTune.__name__
        'FineTune'
    """

    def __init__(self, model: ServedModel) -> None:
        super().__init__(f"Trains {model.name} on the labelled images, from the weights in use")
        self.model = model

    def config(self) -> dict[str, Any]:
        """Returns what a request may set, and the defaults."""
        return {**_DEFAULTS, "from_scratch": False}

    def stats(self) -> dict[str, Any]:
        """Returns what the last training came to."""
        return {key: value for key, value in read_record(self.model).items() if key != "validation_images"}

    def __call__(self, request: dict[str, Any], datastore: ImageStore) -> dict[str, Any]:
        """Trains, and waits for the end."""
        return self.train(request, datastore, Job("train", request))

    def train(self, request: dict[str, Any], store: ImageStore, job: Job) -> dict[str, Any]:
        """Trains.

        Args:
            request: ``max_epochs``, ``learning_rate``, ``batch_size``, ``seed``, and ``from_scratch``, which begins
                with a fresh network.
            store: Of images and labels.
            job: Is told of the progress, and says when to stop.

        Returns:
            What was trained on, which labels were passed over and why, and the agreement before and after.

        Raises:
            RequestError: The labels do not suffice, or a setting is out of range.
            RuntimeError: The training failed or was stopped; the weights in use stay.
        """
        settings = _settings(request, self.config())
        labels, malformed = store.labels_of(self.model)
        record = read_record(self.model)
        held = keep_out(labels, record.get("validation_images", ()))
        data = self._datalist(labels, held, store)
        before = judge(self.model, labels, held, store) if self.model.weights else None
        folder = self.model.folder / "runs" / datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        scratch = settings.pop("from_scratch")
        overrides = {
            "epochs": settings["max_epochs"],
            "learning_rate": settings["learning_rate"],
            "batch_size": min(settings["batch_size"], len(data.training)),
            "seed": settings["seed"],
            "warmup_epochs": 1,
            "num_workers": 1,
            "log_interval": 1,
        }
        start = None if scratch else self.model.weights
        write_training(folder, self.model.bundle.training_config, data, start, overrides)
        seconds = self._run(folder, settings["max_epochs"], job)
        self.model.publish(folder / "models" / "model.safetensors", trust_calibration=len(held) >= _LEAST_TO_CALIBRATE)
        result = {
            "model": self.model.name,
            "trained": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "seconds": round(seconds, 1),
            "images": len(labels),
            "training": len(data.training),
            "validation": len(held),
            "counts": data.counts()["training"],
            "malformed": malformed,
            "before": before,
            "after": judge(self.model, labels, held, store),
            "calibrated": self.model.load().calibrated,
            "from_scratch": start is None,
            "settings": settings,
        }
        with atomic_path(self.model.folder / RECORD) as temporary:
            temporary.write_text(json.dumps({**result, "validation_images": held}, indent=4) + "\n", encoding="utf-8")
        shutil.rmtree(folder / "models", ignore_errors=True)  # what is in use has been published
        return result

    def _datalist(self, labels: dict[str, tuple[str, ...]], held: list[str], store: ImageStore) -> Datalist:
        names, several = self.model.class_names, self.model.several_labels

        def item(image: str) -> Sample:
            marks = [int(name in labels[image]) for name in names]
            return {"image": store.get_image_uri(image), "label": marks if several else marks.index(1)}

        training = [item(image) for image in labels if image not in set(held)]
        kinds = {tuple(labels[image]) for image in labels if image not in set(held)}
        if len(kinds) < 2:
            raise RequestError(
                409, f"expected images of at least two classes to train on, got {len(kinds)}; label more"
            )
        try:
            return Datalist(names, training, [item(image) for image in held], [], os.fspath(store.folder.resolve()))
        except DatasetError as error:
            raise RequestError(409, str(error)) from error

    def _run(self, folder: Path, epochs: int, job: Job) -> float:
        """Runs the process, and returns the seconds it took; raises RuntimeError where it fails or is stopped."""
        started = time.monotonic()
        command = [sys.executable, "-m", "monai_medmamba.label.fine_tuning", os.fspath(folder)]
        package = os.fspath(Path(__file__).parents[2])  # the process shall find this package, installed or not
        paths = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        # Threads that spin while they wait would fight with those of the server, and both would crawl.
        environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
            try:
                while process.poll() is None:
                    if job.stopping or time.monotonic() - started > _LONGEST_SECONDS:
                        raise RuntimeError("the training was stopped; the weights in use stay")
                    job.progress = _progress(folder, epochs, time.monotonic() - started)
                    time.sleep(0.2)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        job.progress = _progress(folder, epochs, time.monotonic() - started)
        if process.returncode:
            tail = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise RuntimeError(f"the training failed, and the weights in use stay; {folder / LOG} ends with: {tail}")
        return time.monotonic() - started


def read_record(model: ServedModel) -> dict[str, Any]:
    """Returns what the last training of a model noted; empty where there was none."""
    try:
        content = json.loads((model.folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _settings(request: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings of a request, checked; keys that are not ours are for other trainers."""
    chosen = {name: request.get(name, value) for name, value in defaults.items()}
    for name, least, most in (("max_epochs", 1, _LONGEST_EPOCHS), ("batch_size", 1, 4096), ("seed", 0, 2**31)):
        value = chosen[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise RequestError(422, f"expected {name} as a whole number from {least} to {most}, got {value!r}")
    rate = chosen["learning_rate"]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1:
        raise RequestError(422, f"expected learning_rate between 0 and 1, got {rate!r}")
    if not isinstance(chosen["from_scratch"], bool):
        raise RequestError(422, f"expected from_scratch true or false, got {chosen['from_scratch']!r}")
    return chosen


def _progress(folder: Path, epochs: int, seconds: float) -> dict[str, Any]:
    """Returns how far a training is, from the history that it writes."""
    progress: dict[str, Any] = {"epoch": 0, "epochs": epochs, "seconds": round(seconds, 1)}
    try:
        with (folder / "output" / "history.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        last = rows[-1]
        figures = {"loss": float(last["train_loss"]), "validation_accuracy": float(last["val_accuracy"])}
        return {
            **progress,
            "epoch": int(last["epoch"]),
            **{name: value if math.isfinite(value) else None for name, value in figures.items()},
        }
    except (OSError, IndexError, KeyError, ValueError):
        return progress
