"""What each overlay changes, in every bundle."""

import json

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow

from monai_medmamba.bundle import find_overlay
from monai_medmamba.metrics import read_predictions
from testing.bundles import ROOT, sample_training

# The other bundles of pictures are written from the same template, by test.
TEMPLATES = [ROOT / "bundles" / name for name in ("medmamba_endo", "medmamba_ct3d")]
pytestmark = pytest.mark.parametrize("bundle", TEMPLATES, ids=lambda path: path.name)


@pytest.fixture
def workflow(bundle, monkeypatch, tmp_path):
    """Makes a training, or what first and after name, under overlays, ready to run; a setting None is left out."""
    monkeypatch.chdir(ROOT)
    sample = sample_training(bundle, tmp_path / "images")

    def path_of(name):
        own = bundle / "configs" / f"{name}.json"
        return str(own if own.is_file() else find_overlay(name).path)

    def make(*names, first="train", after=(), **settings):
        asked = {"output_dir": f"{tmp_path}/output", "ckpt_dir": f"{tmp_path}/models", **sample, **settings}
        made = ConfigWorkflow(
            config_file=[path_of(name) for name in (first, *names, *after)],
            workflow_type="train" if first == "train" else "infer",
            logging_file=False,
            **{name: value for name, value in asked.items() if value is not None},
        )
        made.initialize()
        return made

    return make


def part(workflow, name):
    return workflow.parser.get_parsed_content(name)


def test_amp_off(workflow):
    """As if on a GPU, where it is on by default."""
    assert part(workflow(on_gpu=True), "amp") is True
    off = workflow("amp_off", on_gpu=True)
    assert part(off, "amp") is False


def test_resume(workflow, tmp_path):
    workflow().run()
    began = torch.load(tmp_path / "models" / "last.pt", weights_only=True)["iteration"]
    resumed = workflow("resume", epochs=2)
    steps = []
    trainer = part(resumed, "train#trainer")
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: steps.append(engine.state.iteration))
    resumed.run()
    assert steps == list(range(began + 1, 2 * began + 1))  # the second epoch alone


def test_ema(workflow, tmp_path):
    """The average follows the weights by the formula, is what is judged and kept, and goes on after a resume."""
    made = workflow("ema", epochs=2, **{"train#trainer#max_epochs": 1})
    average, network = part(made, "average"), part(made, "network")
    name = "head.weight"
    expected, ema = average.state_dict()[name].clone(), part(made, "ema")

    def follow(engine):
        share = engine.state.ema_momentum
        expected.mul_(1 - share).add_(network.state_dict()[name], alpha=share)

    part(made, "train#trainer").add_event_handler(Events.ITERATION_COMPLETED, follow)
    made.run()
    assert ema.ema_model is average is part(made, "validate#evaluator").network
    torch.testing.assert_close(average.state_dict()[name], expected)
    best, last = (torch.load(tmp_path / "models" / f"{file}.pt", weights_only=True) for file in ("model", "last"))
    assert torch.equal(best["model"][name], average.state_dict()[name])
    assert torch.equal(last["average"][name], average.state_dict()[name])
    assert torch.equal(last["model"][name], network.state_dict()[name])
    assert not torch.equal(last["model"][name], best["model"][name])

    resumed = workflow("ema", "resume", epochs=2)
    seen = []
    trainer = part(resumed, "train#trainer")
    trainer.add_event_handler(
        Events.EPOCH_STARTED, lambda engine: seen.append(part(resumed, "average").state_dict()[name].clone())
    )
    resumed.run()
    assert len(seen) == 1
    assert torch.equal(seen[0], last["average"][name])


def test_fold(workflow):
    folds = [part(workflow("fold", fold=k, folds=3), "train#trainer") for k in range(3)]
    seen = [[item["image"] for item in trainer.data_loader.images.data] for trainer in folds]
    whole = part(workflow(), "data")
    pool = sorted(item["image"] for item in whole.training + whole.validation)
    assert [len(files) for files in seen] != [len(whole.training)] * 3
    assert sorted(file for files in seen for file in files) == sorted(pool * 2)  # each is left out once


def test_deterministic(workflow, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")  # the user's own choice holds
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(False)
        workflow("deterministic")
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
        with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
            torch.empty(2).put_(torch.tensor([0]), torch.tensor([1.0]), accumulate=False)
    finally:
        torch.use_deterministic_algorithms(before)


def test_baseline(workflow, bundle, tmp_path):
    """Another network goes through the same training and evaluation, and leaves MedMamba's files alone."""
    made = workflow("baseline", variant=None)
    network = part(made, "network")
    assert type(network).__name__ == "ResNet"
    made.run()
    kept = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    assert kept["description"]["variant"] == "resnet18"
    assert not (tmp_path / "models" / "model.safetensors").exists()
    assert json.loads((tmp_path / "output" / "run.json").read_text())["network"] == "ResNet"
    evaluated = workflow("baseline", after=["evaluate"], variant=None)
    evaluated.run()
    assert torch.equal(part(evaluated, "network").fc.weight, kept["model"]["fc.weight"])
    assert len(read_predictions(tmp_path / "output" / "evaluation" / "predictions.csv").images) > 0


def test_baseline_has_folders_of_its_own(workflow):
    made = workflow("baseline", baseline="densenet121", variant=None, output_dir=None, ckpt_dir=None)
    assert part(made, "ckpt_dir").endswith("models/densenet121")
    assert part(made, "output_dir").endswith("output/densenet121")
    assert type(part(made, "network")).__name__ == "DenseNet121"


def test_tta(workflow, tmp_path):
    """The probabilities are the mean of those of the views."""
    workflow().run()
    probabilities = {}
    made = workflow(after=["evaluate"])
    flips = part(made, "safe_flips")
    assert len(flips) > 1
    for name, overlays, settings in (
        ("mean", ["tta"], {}),
        *((str(flip), ["tta"], {"flips": [flip]}) for flip in flips),
        ("plain", [], {}),
    ):
        workflow(after=["evaluate", *overlays], **settings).run()
        probabilities[name] = read_predictions(tmp_path / "output" / "evaluation" / "predictions.csv").probabilities
    np.testing.assert_allclose(probabilities["plain"], probabilities["[]"], atol=1e-6)
    mean = np.mean([probabilities[str(flip)] for flip in flips], axis=0)
    np.testing.assert_allclose(probabilities["mean"], mean, atol=1e-6)
    assert not np.allclose(probabilities["mean"], probabilities["plain"], atol=1e-6)


def test_ensemble(workflow, tmp_path):
    """The probabilities are the mean of the folds', in evaluation and in inference."""
    probabilities = []
    for k in range(2):
        own = {"fold": k, "folds": 2, "seed": 1, "ckpt_dir": f"{tmp_path}/models/fold{k}"}
        workflow("fold", **own).run()
        workflow("fold", after=["evaluate"], **own).run()
        probabilities.append(read_predictions(tmp_path / "output" / "evaluation" / "predictions.csv"))
    (tmp_path / "output" / "evaluation" / "validation.csv").unlink(missing_ok=True)
    workflow(after=["evaluate", "ensemble"]).run()
    found = read_predictions(tmp_path / "output" / "evaluation" / "predictions.csv")
    assert found.images == probabilities[0].images
    np.testing.assert_allclose(
        found.probabilities, np.mean([p.probabilities for p in probabilities], axis=0), atol=1e-6
    )
    assert not (tmp_path / "output" / "evaluation" / "validation.csv").exists()  # members have learnt from those images
    record = json.loads((tmp_path / "output" / "evaluation" / "metrics.json").read_text())
    assert (record["checkpoint"], record["temperature"]) == ("fold0/model.pt, fold1/model.pt", 1.0)


def test_ensemble_infers(workflow, bundle, tmp_path):
    for k in range(2):
        workflow("fold", fold=k, folds=2, ckpt_dir=f"{tmp_path}/models/fold{k}").run()
    made = workflow("ensemble", first="inference")
    made.run()
    assert len(part(made, "network").members) == 2
    assert read_predictions(tmp_path / "output" / "predictions.csv").labels is None


def test_mlflow(workflow, tmp_path):
    """A training and its evaluation are one run of MLflow: losses, figures of each epoch, test figures, the report."""
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow")
    told = {"tracking_uri": f"sqlite:///{tmp_path}/mlflow.db", "experiment_name": "here", "run_name": "first"}
    told |= {"log_interval": 1, "epochs": 2}
    try:
        workflow("mlflow", **told).run()
        workflow(after=["evaluate", "mlflow_report"], **told).run()
        (found,) = mlflow.search_runs(experiment_names=["here"], output_format="list")
        history = mlflow.MlflowClient().get_metric_history(found.info.run_id, "val_auc")
    finally:
        mlflow.set_tracking_uri(None)
    assert [row.step for row in history] == [1, 2]
    assert {"train_loss", "lr_group_0", "test_auc", "test_auc_low"} <= set(found.data.metrics)
    assert found.data.params["variant"] == "nano"
