"""The endoscopy bundle by its commands: train, evaluate, infer, export, resume, refuse."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import monai_medmamba.ops  # noqa: F401  the exported network calls its operator
from monai_medmamba.metrics import read_predictions
from monai_medmamba.networks import load_weights
from testing.bundles import ROOT, class_folders, monai_bundle

BUNDLE = ROOT / "bundles" / "medmamba_endo"
TRAIN, EVALUATE, INFERENCE = (str(BUNDLE / "configs" / f"{name}.json") for name in ("train", "evaluate", "inference"))
INFERENCE_TRT = str(BUNDLE / "configs" / "inference_trt.json")
NAMES = ["bright", "dark", "middle"]


def settings(folder: Path, **changes):
    values = {
        "output_dir": folder / "output",
        "ckpt_dir": folder / "models",
        "variant": "nano",
        "image_size": 32,
        "batch_size": 8,
        "epochs": 2,
        **changes,
    }
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return class_folders(tmp_path_factory.mktemp("images"), ["dark", "middle", "bright"], count=12)


@pytest.fixture(scope="module")
def run(tmp_path_factory, images):
    """A training of two epochs, evaluated, by the commands of the README."""
    folder = tmp_path_factory.mktemp("run")
    words = settings(folder, dataset_dir=images)
    trained = monai_bundle("run", "training", "--config_file", TRAIN, *words)
    assert trained.returncode == 0, trained.stderr
    evaluate = f"['{TRAIN}','{EVALUATE}']"
    where = ["--dataset_dir", str(images), "--output_dir", f"{folder}/output", "--ckpt_dir", f"{folder}/models"]
    evaluated = monai_bundle("run", "evaluating", "--config_file", evaluate, *where)
    assert evaluated.returncode == 0, evaluated.stderr
    return folder


def test_training_leaves_its_files(run):
    assert sorted(path.name for path in (run / "models").iterdir()) == ["last.pt", "model.pt", "model.safetensors"]
    output = run / "output"
    assert {"datalist.json", "history.csv", "run.json", "tensorboard", "report.html"} <= {
        p.name for p in output.iterdir()
    }
    _network, description = load_weights(run / "models" / "model.safetensors")
    assert description["class_names"] == NAMES
    assert description["preprocessing"] == {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}


def test_history_and_tensorboard_agree(run):
    with (run / "output" / "history.csv").open(newline="") as stream:
        history = list(csv.DictReader(stream))
    log = EventAccumulator(str(run / "output" / "tensorboard"))
    log.Reload()
    for column in ("val_auc", "val_accuracy", "val_loss"):
        logged = {event.step: event.value for event in log.Scalars(column)}
        assert logged == pytest.approx({int(row["epoch"]): float(row[column]) for row in history}, abs=1e-6)
    assert log.Images("confusion_matrix")


def test_predictions_and_figures_agree(run):
    folder = run / "output" / "evaluation"
    predictions = read_predictions(folder / "predictions.csv")
    figures = json.loads((folder / "metrics.json").read_text())
    right = sum(int(p == t) for p, t in zip(predictions.predicted, predictions.labels, strict=True))
    assert figures["accuracy"] == pytest.approx(right / figures["images"])
    datalist = json.loads((run / "output" / "datalist.json").read_text())
    assert sorted(Path(image).name for image in predictions.images) == sorted(
        Path(item["image"]).name for item in datalist["test"]
    )


def test_evaluation_and_tensorboard_agree(run):
    figures = json.loads((run / "output" / "evaluation" / "metrics.json").read_text())
    log = EventAccumulator(str(run / "output" / "tensorboard"))
    log.Reload()
    for name in ("auc", "accuracy", "balanced_accuracy", "f1"):
        assert log.Scalars(f"test_{name}")[-1].value == pytest.approx(figures[name], abs=1e-6)


def test_evaluation_writes_evidence_and_a_report(run):
    output = run / "output"
    assert {"evidence.json", "figures.csv", "curves.csv", "subgroups.csv", "validation.csv", "datalist.json"} <= {
        path.name for path in (output / "evaluation").iterdir()
    }
    assert {"report.html", "report.json", "model_card.md", "checklists"} <= {path.name for path in output.iterdir()}
    evidence = json.loads((output / "evaluation" / "evidence.json").read_text())
    description = torch.load(run / "models" / "model.pt", weights_only=True)["description"]
    assert evidence["calibration"]["temperature"] == description["calibration"]["temperature"]
    datalist = json.loads((output / "datalist.json").read_text())
    assert evidence["data"]["splits"]["validation"]["images"] == len(datalist["validation"])
    validation = read_predictions(output / "evaluation" / "validation.csv")
    assert sorted(Path(i).name for i in validation.images) == sorted(
        Path(x["image"]).name for x in datalist["validation"]
    )
    log = EventAccumulator(str(output / "tensorboard"))
    log.Reload()
    assert log.Scalars("evidence/accuracy")[-1].value == pytest.approx(evidence["figures"]["accuracy"]["value"])
    assert log.Images("evidence/roc")


def test_evaluation_of_the_validation_split_gives_the_figures_of_training(run, images, tmp_path):
    done = monai_bundle(
        *("run", "evaluating", "--config_file", f"['{TRAIN}','{EVALUATE}']", "--dataset_dir", str(images)),
        *("--ckpt_dir", str(run / "models"), "--output_dir", str(tmp_path)),
        *("--validate#dataset#data", "$@data.validation", "--temperature", "1.0"),
    )
    assert done.returncode == 0, done.stderr
    best = torch.load(run / "models" / "model.pt", weights_only=True)["description"]["metrics"]
    log = EventAccumulator(str(tmp_path / "tensorboard"))
    log.Reload()
    for name in ("auc", "accuracy", "balanced_accuracy", "f1", "loss"):
        assert log.Scalars(f"test_{name}")[-1].value == pytest.approx(best[f"val_{name}"], abs=1e-6)


def test_inference_gives_the_same_probabilities_as_evaluation(run, tmp_path):
    evaluated = read_predictions(run / "output" / "evaluation" / "predictions.csv")
    for image in evaluated.images:
        name = "_".join(Path(image).parts[-2:])
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / name).write_bytes(Path(image).read_bytes())
    done = monai_bundle(
        *("run", "inferring", "--config_file", INFERENCE, "--dataset_dir", str(tmp_path / "images")),
        *("--ckpt_dir", str(run / "models"), "--output_dir", str(tmp_path / "out")),
    )
    assert done.returncode == 0, done.stderr
    inferred = read_predictions(tmp_path / "out" / "predictions.csv")
    found = {Path(image).name: p for image, p in zip(inferred.images, inferred.probabilities, strict=True)}
    for image, expected in zip(evaluated.images, evaluated.probabilities, strict=True):
        assert found["_".join(Path(image).parts[-2:])] == pytest.approx(expected, abs=1e-5)


def test_from_the_bundle_s_own_folder(images, tmp_path):
    words = settings(tmp_path, dataset_dir=images, epochs=1)
    done = monai_bundle("run", "training", "--config_file", "configs/train.json", *words, cwd=BUNDLE)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models" / "model.pt").is_file()


def test_resume_continues_and_equals_an_uninterrupted_run(run, images, tmp_path):
    first = settings(tmp_path, dataset_dir=images, epochs=2)
    # The learning rate follows the whole length, so the first part is cut by max_epochs alone.
    cut = monai_bundle("run", "training", "--config_file", TRAIN, *first, "--train#trainer#max_epochs", "1")
    assert cut.returncode == 0, cut.stderr
    resumed = monai_bundle("run", "training", "--config_file", TRAIN, *first, "--resume", "True")
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed after epoch 1 of 2" in resumed.stderr
    a, b = (torch.load(folder / "models" / "last.pt", weights_only=True) for folder in (run, tmp_path))
    assert all(torch.equal(tensor, b["model"][name]) for name, tensor in a["model"].items())


WITHOUT_US = """
import sys, torch
x, expected = torch.load(sys.argv[2])
torch.testing.assert_close(torch.jit.load(sys.argv[1])(x), expected, atol=1e-5, rtol=1e-4)
assert not any(name.startswith("monai") for name in sys.modules)
"""


def export_words(run, size="[1,3,32,32]"):
    return [
        *("--ckpt_file", str(run / "models" / "model.pt"), "--key_in_ckpt", "model"),
        *("--meta_file", str(BUNDLE / "configs" / "metadata.json"), "--config_file", INFERENCE),
        *("--ckpt_dir", str(run / "models"), "--use_trace", "True", "--input_shape", size),
    ]


def test_torchscript_export(run, tmp_path):
    target = tmp_path / "model.ts"
    done = monai_bundle("ckpt_export", "network_def", "--filepath", str(target), *export_words(run))
    assert done.returncode == 0, done.stderr
    exported = torch.jit.load(target)
    network, _description = load_weights(run / "models" / "model.safetensors")
    x = torch.randn(3, 3, 64, 48)
    torch.testing.assert_close(exported(x), network(x))


def test_torchscript_export_that_loads_without_this_package(run, tmp_path):
    target = tmp_path / "model.ts"
    words = [*export_words(run), "--backend", "chunked"]
    done = monai_bundle("ckpt_export", "network_def", "--filepath", str(target), *words)
    assert done.returncode == 0, done.stderr
    network, _description = load_weights(run / "models" / "model.safetensors")
    x = torch.randn(3, 3, 64, 48)
    torch.save((x, network(x).detach()), tmp_path / "pair.pt")
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_US, str(target), str(tmp_path / "pair.pt")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_onnx_export(run, tmp_path):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="writes or runs ONNX files")
    import onnx
    import onnxruntime

    target = tmp_path / "model.onnx"
    names = "'input_names':['image'],'output_names':['logits'],'dynamic_axes':{'image':{0:'batch'}}"
    more = ["--converter_kwargs", f"{{{names},'external_data':False}}"]
    words = [*export_words(run, "[2,3,32,32]"), *more]
    done = monai_bundle("onnx_export", "network_def", "--filepath", str(target), *words)
    assert done.returncode == 0, done.stderr
    model = onnx.load(target)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain for entry in model.opset_import} == {""}
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    network, _description = load_weights(run / "models" / "model.safetensors")
    for batch in (1, 3):
        x = torch.randn(batch, 3, 32, 32)
        found = torch.from_numpy(session.run(None, {"image": x.numpy()})[0])
        torch.testing.assert_close(found, network(x).detach(), atol=1e-4, rtol=1e-3)


def test_inference_through_an_engine(run, images, tmp_path):
    """Without TensorRT: its package is an empty module, and TorchScript stands in for the engine."""
    target = tmp_path / "model_trt.ts"
    words = [*export_words(run), "--backend", "chunked"]
    assert monai_bundle("ckpt_export", "network_def", "--filepath", str(target), *words).returncode == 0
    (tmp_path / "stand_in").mkdir()
    (tmp_path / "stand_in" / "torch_tensorrt.py").write_text("")
    where = ["--dataset_dir", str(images), "--ckpt_dir", str(run / "models")]
    overlay = f"['{INFERENCE}','{INFERENCE_TRT}']"
    instead = ["--engine", str(target), "--device", "$torch.device('cpu')"]
    by_engine = monai_bundle(
        *("run", "inferring", "--config_file", overlay, *where, "--output_dir", f"{tmp_path}/engine", *instead),
        paths=[tmp_path / "stand_in"],
    )
    assert by_engine.returncode == 0, by_engine.stderr
    plain = monai_bundle("run", "inferring", "--config_file", INFERENCE, *where, "--output_dir", f"{tmp_path}/plain")
    assert plain.returncode == 0, plain.stderr
    found, expected = (read_predictions(tmp_path / name / "predictions.csv") for name in ("engine", "plain"))
    assert found.images == expected.images
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-5)


@pytest.mark.parametrize("case", ["missing folder", "empty class", "broken image", "same image twice"])
def test_wrong_data_is_refused_before_training(case, images, tmp_path):
    folder = tmp_path / "data"
    if case != "missing folder":
        class_folders(folder, ["a", "b"])
    culprit = {"missing folder": "data", "empty class": "empty", "broken image": "broken.png"}.get(case, "copy.png")
    if case == "empty class":
        (folder / "empty").mkdir()
    elif case == "broken image":
        (folder / "a" / "broken.png").write_text("<html>")
    elif case == "same image twice":
        (folder / "b" / "copy.png").write_bytes((folder / "a" / "0.png").read_bytes())
    done = monai_bundle("run", "training", "--config_file", TRAIN, *settings(tmp_path, dataset_dir=folder))
    assert done.returncode != 0
    assert "DatasetError" in done.stderr
    assert culprit in done.stderr
    assert not (tmp_path / "models").exists()


def test_evaluating_on_other_classes_is_refused(run, tmp_path):
    other = class_folders(tmp_path / "data", ["x", "y", "z"])
    where = ["--dataset_dir", str(other), "--output_dir", f"{tmp_path}/output", "--ckpt_dir", str(run / "models")]
    done = monai_bundle("run", "evaluating", "--config_file", f"['{TRAIN}','{EVALUATE}']", *where)
    assert done.returncode != 0
    assert "the checkpoint's classes are not the data's" in done.stderr


def test_a_loss_that_explodes_stops_with_the_cure(images, tmp_path):
    words = settings(tmp_path, dataset_dir=images, learning_rate=1e30, warmup_epochs=0, epochs=3)
    done = monai_bundle("run", "training", "--config_file", TRAIN, *words)
    assert done.returncode != 0
    assert "Lower --learning_rate" in done.stderr


@pytest.mark.slow
@pytest.mark.real_data
def test_real_endoscopy_images(medmamba_data, tmp_path):
    words = settings(tmp_path, dataset_dir=medmamba_data / "kvasir_seg_patches", image_size=32, epochs=2, batch_size=32)
    trained = monai_bundle("run", "training", "--config_file", TRAIN, *words)
    assert trained.returncode == 0, trained.stderr
    image = next((medmamba_data / "kvasir_seg_patches" / "test" / "polyp").iterdir())
    assert Image.open(image).size == (224, 224)
    with (tmp_path / "output" / "history.csv").open(newline="") as stream:
        last = list(csv.DictReader(stream))[-1]
    assert float(last["val_auc"]) > 0.75
