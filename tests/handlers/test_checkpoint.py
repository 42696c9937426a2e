import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from ignite.engine import Events

from monai_medmamba.handlers import EpochSeed, TrainingCheckpoint, WeightsLoader, read_checkpoint
from monai_medmamba.handlers.collection import PredictionCollector
from monai_medmamba.metrics import Predictions, fit_temperature
from monai_medmamba.networks import load_weights
from testing.bundles import ROOT
from testing.training import CLASS_NAMES, Toy


def checkpoint(folder, toy, resume=False, **changes):
    arguments = {"class_names": CLASS_NAMES, "preprocessing": {"image_size": 32}, "variant": "toy", **changes}
    return TrainingCheckpoint(
        folder, toy.network, toy.optimizer, toy.lr_scheduler, toy.evaluator, resume=resume, **arguments
    )


def train(folder, epochs, resume=False, seed=0):
    toy = Toy(epochs, seed)
    EpochSeed(5, toy.dataset).attach(toy.trainer)
    checkpoint(folder, toy, resume).attach(toy.trainer)
    toy.trainer.run()
    return toy


def test_files_and_what_they_hold(tmp_path):
    toy = train(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "model.pt", "model.safetensors"]
    description = read_checkpoint(tmp_path / "model.pt")["description"]
    assert description["class_names"] == CLASS_NAMES
    assert description["preprocessing"] == {"image_size": 32}
    assert description["epoch"] == toy.evaluator.state.best_metric_epoch
    assert description["network"] == toy.network.settings
    weights, same = load_weights(tmp_path / "model.safetensors")
    best = read_checkpoint(tmp_path / "model.pt")["model"]
    assert all(torch.equal(tensor, best[name]) for name, tensor in weights.state_dict().items())
    assert same["class_names"] == CLASS_NAMES
    assert same["calibration"] == description["calibration"]


def test_the_temperature_is_that_of_the_validation_of_the_epoch(tmp_path):
    toy = Toy(3)
    seen = PredictionCollector()
    seen.attach(toy.evaluator)
    checkpoint(tmp_path, toy).attach(toy.trainer)
    toy.trainer.run()
    last = Predictions(seen.images, np.array(seen.labels), seen.probabilities, CLASS_NAMES)
    assert read_checkpoint(tmp_path / "last.pt")["description"]["calibration"] == fit_temperature(last)


def test_files_of_several_labels_say_so_and_have_no_temperature(tmp_path):
    toy = Toy(1)
    checkpoint(tmp_path, toy, several_labels=True).attach(toy.trainer)
    toy.trainer.run()
    for description in (
        read_checkpoint(tmp_path / "model.pt")["description"],
        load_weights(tmp_path / "model.safetensors")[1],
    ):
        assert description["several_labels"] is True
        assert description.get("calibration") is None


def test_files_of_one_label_say_nothing_of_several(tmp_path):
    train(tmp_path, 1)
    assert "several_labels" not in read_checkpoint(tmp_path / "model.pt")["description"]
    assert "several_labels" not in load_weights(tmp_path / "model.safetensors")[1]


def test_a_network_that_is_no_medmamba(tmp_path):
    """Its checkpoint resumes and loads; weights without a form are not written, and none of a MedMamba replaced."""
    toy = Toy(1)
    other = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2))
    toy.network = toy.trainer.network = toy.evaluator.network = other
    toy.trainer.optimizer = toy.optimizer = torch.optim.AdamW(other.parameters())
    toy.lr_scheduler.optimizer = toy.optimizer
    checkpoint(tmp_path, toy, variant="toy").attach(toy.trainer)
    toy.trainer.run()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "model.pt"]
    assert "network" not in read_checkpoint(tmp_path / "model.pt")["description"]
    (tmp_path / "model.safetensors").write_bytes(b"of a MedMamba")
    with pytest.raises(FileExistsError, match=r"model\.safetensors holds weights of a MedMamba, .* of a toy"):
        toy.trainer.run()
    assert (tmp_path / "model.safetensors").read_bytes() == b"of a MedMamba"


def test_an_epoch_without_validation_has_no_temperature(tmp_path):
    toy = Toy(1)
    checkpoint(tmp_path, toy).attach(toy.trainer)
    toy.trainer._event_handlers[Events.EPOCH_COMPLETED].pop(0)  # the validation
    toy.trainer.run()
    assert read_checkpoint(tmp_path / "last.pt")["description"]["calibration"] is None


def test_a_resumed_run_equals_an_uninterrupted_one_bit_by_bit(tmp_path):
    whole = train(tmp_path / "whole", 4)
    train(tmp_path / "parts", 2)
    resumed = train(tmp_path / "parts", 4, resume=True, seed=99)  # another start, which resuming overwrites
    assert (resumed.trainer.state.epoch, resumed.trainer.state.iteration) == (4, 8)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name
    a, b = (read_checkpoint(tmp_path / folder / "last.pt") for folder in ("whole", "parts"))
    assert a["lr_scheduler"] == b["lr_scheduler"]
    assert (a["best_metric"], a["best_metric_epoch"]) == (b["best_metric"], b["best_metric_epoch"])
    for parameter, state in a["optimizer"]["state"].items():
        assert all(torch.equal(value, b["optimizer"]["state"][parameter][key]) for key, value in state.items())


def test_nothing_to_resume_starts_anew(tmp_path):
    assert train(tmp_path, 1, resume=True).trainer.state.epoch == 1


def test_a_disk_that_fills_up_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    train(tmp_path, 1)
    good = (tmp_path / "last.pt").read_bytes()

    def full_disk(content, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        train(tmp_path, 2)
    assert (tmp_path / "last.pt").read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "model.pt", "model.safetensors"]


def test_a_kill_while_an_epoch_is_written_leaves_the_one_before(tmp_path):
    """The process dies inside the second writing of last.pt, half of the file on the disk."""
    code = f"""
import os, sys, torch
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.handlers.test_checkpoint import checkpoint
from testing.training import Toy
save, written = torch.save, []
def die_half_way(content, path):
    written.append(path)
    if sum("last.pt" in str(p) for p in written) == 2:
        Path(path).write_bytes(b"half")
        os._exit(9)
    save(content, path)
torch.save = die_half_way
toy = Toy(3)
checkpoint({str(tmp_path)!r}, toy).attach(toy.trainer)
toy.trainer.run()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    assert read_checkpoint(tmp_path / "last.pt")["epoch"] == 1
    assert train(tmp_path, 3, resume=True).trainer.state.epoch == 3


def test_what_is_written_is_the_epoch_s_own(tmp_path, monkeypatch):
    """Training goes on while a slow disk takes the first epoch."""
    save, begun = torch.save, []

    def slow(content, path):
        begun.append({name: tensor.clone() for name, tensor in content["model"].items()})
        time.sleep(0.3)
        assert all(torch.equal(tensor, content["model"][name]) for name, tensor in begun[-1].items())
        save(content, path)

    monkeypatch.setattr(torch, "save", slow)
    toy = train(tmp_path, 2)
    last = read_checkpoint(tmp_path / "last.pt")
    assert last["epoch"] == 2
    assert all(torch.equal(tensor, last["model"][name]) for name, tensor in toy.network.state_dict().items())


def test_a_failed_writing_is_an_error_of_the_next_epoch_and_logged(tmp_path, monkeypatch, caplog):
    def full_disk(content, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    toy = Toy(5)
    checkpoint(tmp_path, toy).attach(toy.trainer)
    with pytest.raises(OSError, match="No space left"):
        toy.trainer.run()
    assert toy.trainer.state.epoch == 2
    assert "epoch 1 is not saved" in caplog.text


def test_a_rank_that_does_not_save_writes_nothing(tmp_path):
    toy = Toy(1)
    checkpoint(tmp_path, toy, save=False).attach(toy.trainer)
    toy.trainer.run()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "c"], r"only in the checkpoint \['b'\], only in the data \['c'\]"),
        (["b", "a"], "the order differs"),
    ],
)
def test_other_classes_are_refused_with_the_difference(tmp_path, names, message):
    toy = train(tmp_path, 1)
    with pytest.raises(ValueError, match=message):
        WeightsLoader(toy.network, tmp_path / "model.pt", names)(toy.evaluator)
    other = Toy(2)
    checkpoint(tmp_path, other, resume=True, class_names=names).attach(other.trainer)
    with pytest.raises(ValueError, match=message):
        other.trainer.run()


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (self.marker, "w")


@pytest.mark.parametrize("spoil", ["empty", "truncated", "pickle", "plain"])
def test_a_damaged_or_hostile_file_is_refused(tmp_path, spoil):
    path = tmp_path / "model.pt"
    if spoil == "empty":
        path.touch()
    elif spoil == "truncated":
        torch.save({"model": {}, "description": {}}, path)
        path.write_bytes(path.read_bytes()[:100])
    elif spoil == "pickle":
        torch.save({"model": Hostile(str(tmp_path / "marker")), "description": {}}, path)
    else:
        torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"model\.pt"):
        read_checkpoint(path)
    assert not (tmp_path / "marker").exists()
