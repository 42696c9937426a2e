"""Several labels an image, from the file to a prediction, by the commands that a user types."""

import csv
import json

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_medmamba.cli import main
from monai_medmamba.data.medmnist_names import NAMES
from monai_medmamba.handlers import read_checkpoint
from monai_medmamba.inference import load_classifier, predict
from monai_medmamba.metrics import read_findings
from monai_medmamba.networks import load_weights
from testing.bundles import ROOT, monai_bundle
from testing.chest_file import COUNTS, chest_file

LABELS = list(NAMES["chestmnist"])


def run_bundle(folder, *words):
    done = monai_bundle("run", *words, cwd=folder, environment={"XDG_CACHE_HOME": str(folder / "cache")})
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A bundle that was planned for the file, trained for an epoch, evaluated, and used on the file's images."""
    folder = tmp_path_factory.mktemp("several")
    chest_file(folder / "chestmnist.npz")
    bundle = folder / "bundles" / "chest"
    words = ["--fingerprint", str(folder / "fingerprint"), "--image-size", "32", "--epochs", "1", "--quiet"]
    assert main(["plan", str(folder / "chestmnist.npz"), "--out", str(bundle), *words]) == 0
    configs = bundle / "configs"
    where = ["--bundle_root", str(bundle)]
    run_bundle(folder, "training", "--config_file", str(configs / "train.json"), *where)
    both = f"['{configs / 'train.json'}','{configs / 'evaluate.json'}']"
    run_bundle(folder, "evaluating", "--config_file", both, *where)
    images = ["--dataset_dir", str(folder / "chestmnist.npz")]
    run_bundle(folder, "inferring", "--config_file", str(configs / "inference.json"), *where, *images)
    return bundle


@pytest.fixture(scope="module")
def table(planned):
    return read_findings(planned / "output" / "evaluation" / "predictions.csv")


def test_the_plan_knows_labels_counts_and_splits(planned):
    plan = json.loads((planned / "configs" / "plan.json").read_text())
    assert plan["profile"]["classes"] == LABELS
    assert plan["profile"]["splits"] == {"training": 60, "validation": 30, "test": 45}
    assert {d["name"]: d["value"] for d in plan["decisions"]}["task"] == "multi-label"
    with np.load(planned.parents[1] / "chestmnist.npz") as arrays:
        totals = sum(arrays[f"{split}_labels"].astype(int).sum(axis=0) for split in COUNTS)
    assert list(plan["profile"]["counts"].values()) == totals.tolist()


def test_the_truth_is_that_of_the_file(planned, table):
    with np.load(planned.parents[1] / "chestmnist.npz") as arrays:
        truth = arrays["test_labels"].astype(bool)
    places = [int(image.rsplit("/", 1)[1].removesuffix(".png")) for image in table.images]
    assert sorted(places) == list(range(45))
    assert np.array_equal(table.members, truth[places])
    assert not table.members.any(axis=1).all()


def test_figures_are_those_of_scikit_learn(planned, table):
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    figures = json.loads((planned / "output" / "evaluation" / "metrics.json").read_text())
    truth, scores = table.members, table.probabilities
    expected = {
        "auc": roc_auc_score(truth, scores, average=None),
        "average_precision": average_precision_score(truth, scores, average=None),
        "f1": f1_score(truth, scores >= 0.5, average=None, zero_division=0),
    }
    for name, values in expected.items():
        assert [row[name] for row in figures["per_class"]] == pytest.approx(values.tolist())
        assert figures[name] == pytest.approx(values.mean())
    evidence = json.loads((planned / "output" / "evaluation" / "evidence.json").read_text())
    auc = evidence["figures"]["auc"]
    assert auc["value"] == pytest.approx(figures["auc"])
    assert auc["low"] < auc["value"] < auc["high"]


def test_the_best_epoch_goes_by_the_mean_area_on_validation(planned):
    with (planned / "output" / "history.csv").open(newline="") as stream:
        (epoch,) = csv.DictReader(stream)
    validation = read_findings(planned / "output" / "evaluation" / "validation.csv")
    from sklearn.metrics import roc_auc_score

    assert float(epoch["val_auc"]) == pytest.approx(roc_auc_score(validation.members, validation.probabilities))
    log = EventAccumulator(str(planned / "output" / "tensorboard"))
    log.Reload()
    assert "confusion_matrix" not in log.Tags()["images"]


def test_the_weights_say_that_labels_are_several(planned):
    assert read_checkpoint(planned / "models" / "model.pt")["description"]["several_labels"] is True
    _network, description = load_weights(planned / "models" / "model.safetensors")
    assert (description["several_labels"], description["class_names"]) == (True, LABELS)
    assert "calibration" not in description


def test_inference_and_prediction_say_what_the_evaluation_says(planned, table, tmp_path):
    inferred = read_findings(planned / "output" / "inference" / "predictions.csv")
    assert len(inferred.images) == sum(COUNTS.values())
    assert inferred.labels is None
    at = {image: place for place, image in enumerate(inferred.images)}
    rows = inferred.probabilities[[at[image] for image in table.images]]
    assert np.allclose(rows, table.probabilities, atol=1e-5)

    weights, out = str(planned / "models" / "model.safetensors"), tmp_path / "out.csv"
    some = table.images[:6]
    assert main(["predict", *some, "--weights", weights, "--device", "cpu", "--out", str(out), "--quiet"]) == 0
    predicted = read_findings(out)
    assert np.allclose(predicted.probabilities, table.probabilities[:6], atol=1e-5)
    assert predicted.found == [
        [name for name, p in zip(LABELS, row, strict=True) if p >= 0.5] for row in predicted.probabilities
    ]
    of_checkpoint = predict(load_classifier(planned / "models" / "model.pt", "cpu"), some).predictions
    assert np.allclose(of_checkpoint.probabilities, predicted.probabilities, atol=1e-6)


def test_the_report_says_what_it_leaves_out(planned):
    page = (planned / "output" / "report.html").read_text()
    assert "What is left out" in page
    assert all(name in page for name in LABELS)


def test_the_network_gives_what_the_metadata_say(planned, tmp_path):
    done = monai_bundle(
        *("verify_net_in_out", "--net_id", "network_def", "--device", "cpu"),
        *("--meta_file", str(planned / "configs" / "metadata.json")),
        *("--config_file", str(planned / "configs" / "inference.json"), "--ckpt_dir", str(tmp_path)),
    )
    assert done.returncode == 0, done.stderr
    assert "verified with no error" in done.stdout + done.stderr


def test_the_loss_weighs_each_label_by_the_images_without_it(planned, monkeypatch):
    from monai.bundle import ConfigParser

    monkeypatch.setenv("XDG_CACHE_HOME", str(planned.parents[1] / "cache"))

    parser = ConfigParser()
    parser.read_config(str(planned / "configs" / "train.json"))
    parser["bundle_root"] = str(planned)
    loss = parser.get_parsed_content("loss")
    assert isinstance(loss, torch.nn.BCEWithLogitsLoss)
    data, power = parser.get_parsed_content("data"), parser.get_parsed_content("class_weight_power")
    counts = torch.tensor(list(data.counts()["training"].values()))
    assert power == 1
    assert torch.allclose(loss.pos_weight.cpu(), (60 - counts) / counts)


def test_the_bundle_of_any_medmnist_file_takes_it_by_itself(tmp_path):
    data = chest_file(tmp_path / "chestmnist.npz")
    configs = ROOT / "bundles" / "medmamba_medmnist" / "configs"
    small = ["--variant", "nano", "--image_size", "32", "--epochs", "1", "--class_weight_power", "0.5"]
    where = ["--output_dir", str(tmp_path / "out"), "--ckpt_dir", str(tmp_path), "--dataset_dir", str(data)]
    run_bundle(tmp_path, "training", "--config_file", str(configs / "train.json"), *where, *small)
    both = f"['{configs / 'train.json'}','{configs / 'evaluate.json'}']"
    run_bundle(tmp_path, "evaluating", "--config_file", both, *where)
    assert read_findings(tmp_path / "out" / "evaluation" / "predictions.csv").class_names == LABELS
