"""Checkpoints that survive a kill or a full disk, carry what is needed to use them, and can be resumed."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.engines import Workflow
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..files import atomic_path
from ..metrics import Predictions, fit_temperature
from ..networks import MedMamba, save_weights
from .collection import PredictionCollector

__all__ = ["TrainingCheckpoint", "read_checkpoint"]

logger = logging.getLogger(__name__)

BEST, LAST, WEIGHTS = "model.pt", "last.pt", "model.safetensors"


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the content of a checkpoint, on the CPU, without running anything in it.

    Args:
        path: a file that :class:`TrainingCheckpoint` wrote.

    Returns:
        ``model`` (a state dict) and ``description`` (network, class names, preprocessing, calibration, epoch,
        metrics); a ``last.pt`` also holds the state of the training.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else; a pickle that would run code is refused.

    Example:
        >>> read_checkpoint("missing.pt")
        Traceback (most recent call last):
        FileNotFoundError: no checkpoint at missing.pt: run training first, or name another folder with --ckpt_dir
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no checkpoint at {os.fspath(path)}: run training first, or name another folder with --ckpt_dir"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different class for each kind of damage
        reason = (str(error).splitlines() or [type(error).__name__])[0]  # of an empty file, the error has no text
        raise ValueError(f"{os.fspath(path)}: not a readable checkpoint ({reason})") from error
    if not isinstance(content, dict) or not {"model", "description"} <= content.keys():
        raise ValueError(
            f"{os.fspath(path)}: expected a checkpoint with 'model' and 'description', as training writes it; "
            f"weights of the published code go through `medmamba convert`"
        )
    return content


class TrainingCheckpoint:
    """Saves ``last.pt`` after every epoch, and ``model.pt`` with ``model.safetensors`` after every best one.

    Each file appears whole or not at all. Attach it after the handler that runs validation: a best epoch is one
    where the validator's key metric is best.

    A network that is no MedMamba, such as a baseline, has no ``model.safetensors``, and its checkpoints do not say how
    to build it.

    Each carries the temperature by which its logits are to be divided, fitted on the validation's predictions of its
    epoch.

    What is saved is copied to the CPU at the end of the epoch and written by a thread while the next epoch trains:
    the disk would hold up short epochs. Where writing fails, that is logged, the error comes at the end of the next
    epoch or of the training, and the files before stay as they are. A training waits for its files when it ends, and
    Python does where it fails; one that is killed meanwhile goes on from the epoch before.

    Args:
        directory: folder of the files.
        network: the network, bare or wrapped for distributed training.
        optimizer: of the training.
        lr_scheduler: of the training, stepped each iteration.
        validator: the evaluator with the key metric.
        class_names: the name of each class, in order.
        preprocessing: what an image goes through, JSON-able.
        variant: the size's or the network's name, for the record.
        seed: of the run, and so of its data's split; an evaluation splits with it again.
        resume: continue from ``last.pt`` if it is there; otherwise a training starts anew and replaces it.
        save: writes files; False on every rank but the first of a distributed run.
        average: a running average of the network, if there is one: what validation sees, so what ``model.pt`` and
            ``model.safetensors`` hold. ``last.pt`` has both.
        several_labels: whether an image may have several labels, so that each logit is a question of its own; the
            files say so, and no temperature is fitted.

    Raises:
        FileExistsError: when the training starts: the folder holds the weights of a MedMamba, and the network is none.

    Example:
        >>> TrainingCheckpoint.__name__
        'TrainingCheckpoint'
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        network: nn.Module,
        optimizer: Optimizer,
        lr_scheduler: LRScheduler,
        validator: Workflow,
        class_names: Sequence[str],
        preprocessing: Mapping[str, Any],
        variant: str,
        seed: int = 0,
        resume: bool = False,
        save: bool = True,
        average: nn.Module | None = None,
        several_labels: bool = False,
    ) -> None:
        self.several_labels = several_labels
        self.directory, self.average = Path(directory), average
        self.network, self.optimizer, self.lr_scheduler, self.validator = network, optimizer, lr_scheduler, validator
        self.class_names, self.preprocessing, self.variant = list(class_names), dict(preprocessing), variant
        self.seed, self.resume, self.save = seed, resume, save
        self._validated = PredictionCollector()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer."""
        self._validated.attach(self.validator)
        engine.add_event_handler(Events.STARTED, self._restore)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _restore(self, engine: Engine) -> None:
        path = self.directory / LAST
        if self.save and (self.directory / WEIGHTS).exists() and not isinstance(bare(self.network), MedMamba):
            raise FileExistsError(
                f"{self.directory / WEIGHTS} holds weights of a MedMamba, and this training is of a {self.variant}: "
                "name another folder with --ckpt_dir"
            )
        if not self.resume:
            return
        if not path.is_file():
            logger.info("nothing to resume at %s: training starts at epoch 1", path)
            return
        content = read_checkpoint(path)
        check_same_classes(path, content["description"], self.class_names)
        load_state(path, bare(self.network), content)
        if self.average is not None:  # a training that had none begins its average here
            load_state(path, self.average, {"model": content.get("average", content["model"])})
        self.optimizer.load_state_dict(content["optimizer"])
        # Where the schedule stands is restored, not its shape: a run resumed with more epochs follows the longer one.
        progress = {key: content["lr_scheduler"][key] for key in ("last_epoch", "_step_count", "_last_lr")}
        self.lr_scheduler.load_state_dict(self.lr_scheduler.state_dict() | progress)
        engine.state.epoch, engine.state.iteration = content["epoch"], content["iteration"]
        self.validator.state.best_metric = content["best_metric"]
        self.validator.state.best_metric_epoch = content["best_metric_epoch"]
        logger.info("resumed after epoch %d of %d from %s", content["epoch"], engine.state.max_epochs, path)

    def _save(self, engine: Engine) -> None:
        if not self.save:
            return
        self._finish(engine)
        network, validator = bare(self.network), self.validator.state
        best = validator.best_metric_epoch == engine.state.epoch
        model = {"model": network.state_dict(), "description": self._describe(network, engine.state.epoch)}
        state = {
            "optimizer": self.optimizer.state_dict(),
            "lr_scheduler": self.lr_scheduler.state_dict(),
            "epoch": engine.state.epoch,
            "iteration": engine.state.iteration,
            "best_metric": validator.best_metric,
            "best_metric_epoch": validator.best_metric_epoch,
        }
        if self.average is not None:
            state["average"] = self.average.state_dict()
        judged: Any = network if self.average is None else self.average
        weights = copy.deepcopy(judged).cpu() if best else None
        self._writing = self._background.submit(
            self._write, _on_cpu(model | state), weights, self._predictions(engine.state.epoch)
        )

    def _write(self, content: dict[str, Any], best: nn.Module | None, validation: Predictions | None) -> None:
        """Writes the files of an epoch, from a copy that training leaves alone."""
        try:
            calibration = None if validation is None else fit_temperature(validation)
            content["description"]["calibration"] = calibration
            if best is not None:
                model = content.get("average", content["model"])
                _write(self.directory / BEST, {"model": model, "description": content["description"]})
                if isinstance(best, MedMamba):
                    kept = (self.class_names, self.preprocessing, calibration, self.several_labels)
                    save_weights(self.directory / WEIGHTS, best, *kept)
            _write(self.directory / LAST, content)
        except Exception as error:
            logger.error("epoch %d is not saved: %s", content["epoch"], error)
            raise

    def _finish(self, engine: Engine) -> None:
        """Waits until the files of the epoch before are written, and raises what went wrong."""
        del engine
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _predictions(self, epoch: int) -> Predictions | None:
        """Returns what the validation of this epoch predicted; None where it did not run, or labels are several."""
        found = self._validated
        if self.several_labels or self.validator.state.epoch != epoch or not found.images:
            return None
        labels = np.array(found.labels, dtype=np.int64)
        return Predictions(found.images, labels, found.probabilities, self.class_names)

    def _describe(self, network: nn.Module, epoch: int) -> dict[str, Any]:
        return {
            "variant": self.variant,
            **({"network": network.settings} if isinstance(network, MedMamba) else {}),
            "class_names": self.class_names,
            **({"several_labels": True} if self.several_labels else {}),
            "preprocessing": self.preprocessing,
            "seed": self.seed,
            "epoch": epoch,
            "metrics": {name: float(value) for name, value in self.validator.state.metrics.items()},
        }


def check_same_classes(
    path: str | os.PathLike[str], description: Mapping[str, Any], class_names: Sequence[str]
) -> None:
    """Raises ValueError where a checkpoint's classes are not those expected, in order, with the difference."""
    theirs, ours = list(description["class_names"]), list(class_names)
    if theirs != ours:
        only_theirs = [name for name in theirs if name not in ours]
        only_ours = [name for name in ours if name not in theirs]
        raise ValueError(
            f"{os.fspath(path)}: the checkpoint's classes are not the data's. Checkpoint {theirs}, data {ours}; "
            f"only in the checkpoint {only_theirs}, only in the data {only_ours}"
            f"{'' if only_theirs or only_ours else ' (the order differs)'}. "
            "Use the data it was trained on, or another --ckpt_dir."
        )


def load_state(path: str | os.PathLike[str], network: nn.Module, content: Mapping[str, Any]) -> None:
    """Loads a checkpoint's weights strictly; raises ValueError naming the file and every difference."""
    try:
        network.load_state_dict(content["model"])
    except RuntimeError as error:
        raise ValueError(f"{os.fspath(path)}: the weights do not fit this network. {error}") from error


def bare(network: nn.Module) -> Any:
    return network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network


def _on_cpu(content: Any) -> Any:
    """Returns nested dicts and lists with a copy of every tensor."""
    if isinstance(content, torch.Tensor):
        return content.detach().to("cpu", copy=True)
    if isinstance(content, Mapping):
        return {key: _on_cpu(value) for key, value in content.items()}
    return [_on_cpu(value) for value in content] if isinstance(content, list) else content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        torch.save(dict(content), temporary)
