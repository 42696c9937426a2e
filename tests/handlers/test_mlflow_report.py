import contextlib
import json
import sys
import types

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


class Recorder(types.ModuleType):
    """Stands for mlflow and keeps what it is told, under mlflow's own names and signatures."""

    def __init__(self, active=None):
        super().__init__("mlflow")
        self.active, self.params, self.metrics, self.artifacts, self.calls = active, {}, {}, [], []

    def active_run(self):
        return self.active

    def set_tracking_uri(self, uri):
        self.calls.append(("uri", uri))

    def set_experiment(self, experiment_name):
        self.calls.append(("experiment", experiment_name))

    @contextlib.contextmanager
    def start_run(self, run_name=None):
        self.calls.append(("run", run_name))
        yield

    def log_params(self, params):
        self.params |= params

    def log_metrics(self, metrics):
        self.metrics |= metrics

    def log_artifact(self, local_path, artifact_path=None):
        self.artifacts.append(f"{artifact_path}/{local_path.rpartition('/')[2]}")

    def log_artifacts(self, local_dir, artifact_path=None):
        self.artifacts.append(f"{artifact_path}/")


def test_parameters_figures_and_the_report(run, monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "mlflow", recorder)
    engine = Engine(lambda engine, batch: None)
    MLflowReport(run, "file:mlruns", "endoscopy", "first").attach(engine)
    engine.run([0])
    assert recorder.calls == [("uri", "file:mlruns"), ("experiment", "endoscopy"), ("run", "first")]
    evidence = json.loads((run / "evaluation" / "evidence.json").read_text())
    assert recorder.metrics["test_auc"] == evidence["figures"]["auc"]["value"]
    assert recorder.metrics["test_auc_low"] == evidence["figures"]["auc"]["low"]
    assert recorder.params["epochs"] == "2"
    assert recorder.params["version.torch"] == "2.13.0"
    assert {"report/report.html", "report/checklists/", "report/evaluation/figures.csv"} <= set(recorder.artifacts)
    assert not [name for name in recorder.artifacts if "predictions" in name or "datalist" in name]


def test_an_active_run_takes_it(run, monkeypatch):
    recorder = Recorder(active="run")
    monkeypatch.setitem(sys.modules, "mlflow", recorder)
    log_report(run)
    assert recorder.calls == []
    assert recorder.metrics


@pytest.mark.slow
def test_the_real_library(run, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow")
    monkeypatch.chdir(tmp_path)  # where it puts the artifacts
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    log_report(run, uri, "endoscopy")
    client = mlflow.MlflowClient(uri)
    (found,) = client.search_runs([client.get_experiment_by_name("endoscopy").experiment_id])
    evidence = json.loads((run / "evaluation" / "evidence.json").read_text())
    assert found.data.metrics["test_accuracy"] == evidence["figures"]["accuracy"]["value"]
    assert "report/report.html" in [entry.path for entry in client.list_artifacts(found.info.run_id, "report")]


def test_without_mlflow_the_cure_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ValueError, match="pip install mlflow"):
        log_report(run)


def test_without_a_report(tmp_path):
    with pytest.raises(FileNotFoundError, match="medmamba report"):
        log_report(tmp_path)
