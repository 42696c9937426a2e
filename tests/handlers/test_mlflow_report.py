"""Reports in MLflow: the real library, on a database of its own."""

import json
import sys

import pytest
from ignite.engine import Engine

from monai_medmamba.handlers import MLflowReport, log_report
from monai_medmamba.visualize import write_report
from testing.runs import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("run"), images=40, resamples=120)
    write_report(run)
    return run


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow")
    monkeypatch.chdir(tmp_path)  # where it puts the artifacts
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    yield mlflow
    mlflow.set_tracking_uri(None)


def artifacts(mlflow, run_id, folder="report"):
    for entry in mlflow.MlflowClient().list_artifacts(run_id, folder):
        yield from artifacts(mlflow, run_id, entry.path) if entry.is_dir else [entry.path]


def test_parameters_figures_and_the_report(run, mlflow):
    engine = Engine(lambda engine, batch: None)
    MLflowReport(run, mlflow.get_tracking_uri(), "endoscopy", "first").attach(engine)
    engine.run([0])
    (found,) = mlflow.search_runs(experiment_names=["endoscopy"], output_format="list")
    assert (found.info.run_name, found.info.status) == ("first", "FINISHED")
    evidence = json.loads((run / "evaluation" / "evidence.json").read_text())
    assert found.data.metrics["test_auc"] == evidence["figures"]["auc"]["value"]
    assert found.data.metrics["test_auc_low"] == evidence["figures"]["auc"]["low"]
    assert found.data.params["epochs"] == "2"
    assert found.data.params["version.torch"] == "2.13.0"
    sent = set(artifacts(mlflow, found.info.run_id))
    assert {"report/report.html", "report/evaluation/figures.csv"} <= sent
    assert any(name.startswith("report/checklists/") for name in sent)
    assert not [name for name in sent if "predictions" in name or "datalist" in name]


def test_an_active_run_takes_it(run, mlflow):
    mlflow.set_experiment("endoscopy")
    with mlflow.start_run() as active:
        log_report(run)
    assert "test_auc" in mlflow.get_run(active.info.run_id).data.metrics


def test_the_run_of_the_training_takes_it(run, mlflow):
    """The latest of the name, not another name's, and not an earlier one's."""
    mlflow.set_experiment("endoscopy")
    ids = []
    for name in ("first", "first", "second"):
        with mlflow.start_run(run_name=name) as started:
            ids.append(started.info.run_id)
    log_report(run, mlflow.get_tracking_uri(), "endoscopy", "first")
    have = ["test_auc" in mlflow.get_run(run_id).data.metrics for run_id in ids]
    assert have == [False, True, False]
    assert len(mlflow.search_runs(experiment_names=["endoscopy"], output_format="list")) == 3


def test_without_mlflow_the_cure_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ValueError, match="pip install mlflow"):
        log_report(run)


def test_without_a_report(tmp_path):
    with pytest.raises(FileNotFoundError, match="medmamba report"):
        log_report(tmp_path)
