"""The bundle of volumes by its commands: train, evaluate, infer, resume, refuse."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_medmamba.metrics import read_predictions
from monai_medmamba.networks import GraphedTraining, load_weights
from testing.bundles import ROOT, monai_bundle, volume_folders
from testing.dicom_series import write_series

nibabel = pytest.importorskip("nibabel", reason="volumes are NIfTI files")
pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

BUNDLE = ROOT / "bundles" / "medmamba_ct3d"
TRAIN, EVALUATE, INFERENCE, SEVERAL = (
    str(BUNDLE / "configs" / f"{name}.json") for name in ("train", "evaluate", "inference", "multi_gpu_train")
)
BOTH = f"['{TRAIN}','{EVALUATE}']"


def settings(folder: Path, **changes):
    values = {
        "output_dir": folder / "output",
        "ckpt_dir": folder / "models",
        "variant": "nano",
        "batch_size": 6,
        "epochs": 2,
        **changes,
    }
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    return volume_folders(tmp_path_factory.mktemp("volumes"), ["dense", "thin"])


@pytest.fixture(scope="module")
def run(tmp_path_factory, volumes):
    """A training of two epochs, evaluated, by the commands of the README."""
    folder = tmp_path_factory.mktemp("run")
    trained = monai_bundle("run", "training", "--config_file", TRAIN, *settings(folder, dataset_dir=volumes))
    assert trained.returncode == 0, trained.stderr
    where = ["--dataset_dir", str(volumes), "--output_dir", f"{folder}/output", "--ckpt_dir", f"{folder}/models"]
    evaluated = monai_bundle("run", "evaluating", "--config_file", BOTH, *where)
    assert evaluated.returncode == 0, evaluated.stderr
    return folder


def infer(run, data, output, *more):
    """Classify volumes, and return the table."""
    where = ["--dataset_dir", str(data), "--ckpt_dir", str(run / "models"), "--output_dir", str(output)]
    done = monai_bundle("run", "inferring", "--config_file", INFERENCE, *where, *more)
    assert done.returncode == 0, done.stderr
    return read_predictions(output / "predictions.csv")


def test_training_leaves_its_files(run):
    assert sorted(path.name for path in (run / "models").iterdir()) == ["last.pt", "model.pt", "model.safetensors"]
    expected = {
        "datalist.json",
        "history.csv",
        "run.json",
        "tensorboard",
        "report.html",
        "report.json",
        "model_card.md",
    }
    assert expected <= {path.name for path in (run / "output").iterdir()}
    network, description = load_weights(run / "models" / "model.safetensors")
    assert (network.spatial_dims, network.in_channels) == (3, 1)
    assert description["class_names"] == ["dense", "thin"]
    assert description["preprocessing"] == {
        "volume_size": [32, 32, 32],
        "spacing": [1.5, 1.5, 1.5],
        "intensity_range": [-1000, 400],
        "mean": [0.5],
        "std": [0.25],
    }


def test_the_evidence_is_that_of_the_other_bundles(run):
    """A temperature stored with the weights, thresholds chosen on validation, intervals, model card."""
    calibration = load_weights(run / "models" / "model.safetensors")[1]["calibration"]
    metrics = json.loads((run / "output" / "evaluation" / "metrics.json").read_text())
    assert metrics["temperature"] == calibration["temperature"] > 0
    validation = read_predictions(run / "output" / "evaluation" / "validation.csv")
    assert len(validation.images) == calibration["images"] == 2
    evidence = json.loads((run / "output" / "evaluation" / "evidence.json").read_text())
    assert evidence["operating_points"]
    assert evidence["calibration"]
    assert evidence["figures"]["accuracy"]["low"] is not None
    assert "volumes" in (run / "output" / "model_card.md").read_text()


def test_history_tensorboard_and_figures_agree(run):
    with (run / "output" / "history.csv").open(newline="") as stream:
        history = list(csv.DictReader(stream))
    figures = json.loads((run / "output" / "evaluation" / "metrics.json").read_text())
    predictions = read_predictions(run / "output" / "evaluation" / "predictions.csv")
    right = sum(int(p == t) for p, t in zip(predictions.predicted, predictions.labels, strict=True))
    assert figures["accuracy"] == pytest.approx(right / figures["images"])
    log = EventAccumulator(str(run / "output" / "tensorboard"))
    log.Reload()
    logged = {event.step: event.value for event in log.Scalars("val_auc")}
    assert logged == pytest.approx({int(row["epoch"]): float(row["val_auc"]) for row in history}, abs=1e-6)
    assert log.Scalars("test_accuracy")[-1].value == pytest.approx(figures["accuracy"], abs=1e-6)


def test_inference_gives_the_same_probabilities_as_evaluation(run, volumes, tmp_path):
    evaluated = read_predictions(run / "output" / "evaluation" / "predictions.csv")
    inferred = infer(run, volumes, tmp_path)
    assert len(inferred.images) == 20
    found = dict(zip(inferred.images, inferred.probabilities, strict=True))
    for image, expected in zip(evaluated.images, evaluated.probabilities, strict=True):
        assert found[image] == pytest.approx(expected, abs=1e-5)


def test_a_dicom_series_gets_what_its_nifti_file_gets(run, tmp_path):
    def cube(points):
        return np.where((np.abs(points - np.array([-4, -2, 18])) < 6).all(-1), 100.0, -900.0)

    series = write_series(tmp_path / "data" / "series", range(0, 15, 3), value=cube)
    loaded = infer(run, series, tmp_path / "a")
    assert loaded.images == [str(series)]
    from monai_medmamba.transforms import LoadVolume

    volume = LoadVolume()(series)
    nibabel.save(nibabel.Nifti1Image(volume[0].numpy(), volume.affine.numpy()), tmp_path / "data" / "same.nii.gz")
    both = infer(run, tmp_path / "data", tmp_path / "b")
    assert [Path(image).name for image in both.images] == ["same.nii.gz", "series"]
    assert both.probabilities[0] == pytest.approx(both.probabilities[1], abs=1e-5)


def test_a_larger_volume_is_classified_by_windows(run, tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(-1000, -800, (64, 32, 32), dtype=np.int16)
    (tmp_path / "data").mkdir()
    affine = np.diag([1.5, 1.5, 1.5, 1])
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "data" / "a_whole.nii.gz")
    for name, part in (("b_left", values[:32]), ("c_right", values[32:])):
        nibabel.save(nibabel.Nifti1Image(part, affine), tmp_path / "data" / f"{name}.nii.gz")
    windows = ("--read_size", "[64,32,32]", "--overlap", "0.0")
    whole = infer(run, tmp_path / "data" / "a_whole.nii.gz", tmp_path / "whole", *windows).probabilities[0]
    parts = infer(run, tmp_path / "data", tmp_path / "parts").probabilities[1:]
    logits = np.log(np.asarray(parts)).mean(0)
    assert whole == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-4)


def test_resume_equals_an_uninterrupted_run(run, volumes, tmp_path):
    first = settings(tmp_path, dataset_dir=volumes)
    cut = monai_bundle("run", "training", "--config_file", TRAIN, *first, "--train#trainer#max_epochs", "1")
    assert cut.returncode == 0, cut.stderr
    resumed = monai_bundle("run", "training", "--config_file", TRAIN, *first, "--resume", "True")
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed after epoch 1 of 2" in resumed.stderr
    a, b = (torch.load(folder / "models" / "last.pt", weights_only=True) for folder in (run, tmp_path))
    assert all(torch.equal(tensor, b["model"][name]) for name, tensor in a["model"].items())


def test_a_file_of_medmnist3d(tmp_path):
    rng = np.random.default_rng(0)
    content = {}
    for split, count in (("train", 12), ("val", 4), ("test", 4)):
        labels = np.arange(count) % 2
        content[f"{split}_labels"] = labels[:, None].astype(np.uint8)
        content[f"{split}_images"] = (
            rng.integers(0, 60, (count, 28, 28, 28)) + 150 * labels[:, None, None, None]
        ).astype(np.uint8)
    np.savez(tmp_path / "toymnist3d.npz", **content)
    words = settings(tmp_path, dataset_dir=tmp_path / "toymnist3d.npz", epochs=1, spacing="[0.875,0.875,0.875]")
    done = monai_bundle(
        *("run", "training", "--config_file", TRAIN, *words, "--intensity_range", "[0,255]"),
        environment={"MONAI_MEDMAMBA_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "output" / "datalist.json").read_text())["class_names"] == ["0", "1"]


@pytest.mark.parametrize("case", ["missing folder", "empty class", "broken volume", "same volume twice"])
def test_wrong_data_is_refused_before_training(case, tmp_path):
    folder = tmp_path / "data"
    if case != "missing folder":
        volume_folders(folder, ["a", "b"], count=3)
    culprit = {"missing folder": "data", "empty class": "empty", "broken volume": "broken.nii"}.get(case, "copy.nii.gz")
    if case == "empty class":
        (folder / "empty").mkdir()
    elif case == "broken volume":
        (folder / "a" / "broken.nii").write_text("<html>")
    elif case == "same volume twice":
        (folder / "b" / "copy.nii.gz").write_bytes((folder / "a" / "0.nii.gz").read_bytes())
    done = monai_bundle("run", "training", "--config_file", TRAIN, *settings(tmp_path, dataset_dir=folder))
    assert done.returncode != 0
    assert "DatasetError" in done.stderr
    assert culprit in done.stderr
    assert not (tmp_path / "models").exists()


def test_a_series_with_a_gap_stops_inference_with_its_name(run, tmp_path):
    series = write_series(tmp_path / "gap", [0, 3, 9, 12])
    where = ["--dataset_dir", str(series), "--ckpt_dir", str(run / "models"), "--output_dir", str(tmp_path / "out")]
    done = monai_bundle("run", "inferring", "--config_file", INFERENCE, *where)
    assert done.returncode != 0
    assert "slices are missing: 6.00 mm between" in done.stderr
    assert len(infer(run, series, tmp_path / "out", "--missing", "interpolate").images) == 1


@pytest.mark.slow
def test_two_processes_train_and_leave_cleanly(volumes, tmp_path):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    words = settings(tmp_path, dataset_dir=volumes, batch_size=3)
    done = monai_bundle("run", "training", "--config_file", f"['{TRAIN}','{SEVERAL}']", *words, launcher=launcher)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "output" / "history.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 2
    assert (tmp_path / "models" / "model.safetensors").is_file()


@pytest.mark.slow
def test_the_phantoms_are_learned(tmp_path):
    """The embedded default, by the command of the README, for fewer epochs."""
    words = ["--output_dir", f"{tmp_path}/output", "--ckpt_dir", f"{tmp_path}/models", "--epochs", "20"]
    options = {"environment": {"MONAI_MEDMAMBA_CACHE": str(tmp_path / "cache")}, "timeout": 1800}
    trained = monai_bundle("run", "training", "--config_file", TRAIN, *words, **options)
    assert trained.returncode == 0, trained.stderr
    where = ["--output_dir", f"{tmp_path}/output", "--ckpt_dir", f"{tmp_path}/models"]
    evaluated = monai_bundle("run", "evaluating", "--config_file", BOTH, *where, **options)
    assert evaluated.returncode == 0, evaluated.stderr
    figures = json.loads((tmp_path / "output" / "evaluation" / "metrics.json").read_text())
    assert figures["images"] == 60
    assert figures["auc"] > 0.8


@pytest.mark.parametrize("intensity_range", [[-1000, 400], None])
def test_values_by_a_range_or_by_each_volume_s_own(intensity_range, volumes, monkeypatch):
    monkeypatch.chdir(ROOT)
    parser = ConfigParser()
    parser.read_config(TRAIN)
    parser["intensity_range"], parser["spacing"], parser["volume_size"] = intensity_range, [1.5] * 3, [32, 32, 32]
    prepared = parser.get_parsed_content("train#preprocessing")({"image": str(volumes / "thin" / "0.nii.gz")})["image"]
    assert prepared.shape == (1, 32, 32, 32)
    middle = prepared[0, 10:20, 12:20, 10:20].mean().item()
    assert middle == pytest.approx((300 + 1000) / 1400 if intensity_range else 0.93, abs=0.08)
    assert (prepared.max().item() == 1) is (intensity_range is None)


@pytest.mark.gpu
def test_trains_from_cuda_graphs(volumes, tmp_path):
    changes = {"dataset_dir": str(volumes), "output_dir": str(tmp_path), "ckpt_dir": str(tmp_path), "num_workers": 2}
    changes |= {"variant": "nano", "volume_size": [32, 32, 32], "batch_size": 4, "epochs": 2}
    workflow = ConfigWorkflow(TRAIN, workflow_type="train", **changes)
    workflow.initialize()
    workflow.run()
    network = workflow.parser.get_parsed_content("train#network")
    assert isinstance(network, GraphedTraining)
    assert network._graphs
    workflow.finalize()
    assert load_weights(tmp_path / "model.safetensors")[1]["class_names"] == ["dense", "thin"]
