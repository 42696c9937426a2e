"""An evaluation in MLflow: settings, figures with intervals, and the whole report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

__all__ = ["MLflowReport", "log_report"]

ARTIFACTS = ("report.html", "report.json", "model_card.md", "checklists", "history.csv")
TABLES = ("evidence.json", "metrics.json", "figures.csv", "curves.csv", "subgroups.csv")
"""Of the evaluation; the tables of predictions stay out, because they name images."""


class MLflowReport:
    """Logs the report of a run to MLflow when an evaluation ends. Needs mlflow.

    Attach it after :class:`EvaluationFiles`, which writes the report.

    Args:
        output_dir: the run's folder.
        tracking_uri: of MLflow, such as ``sqlite:///mlruns.db``; "" for its own default.
        experiment_name: of MLflow.
        run_name: of MLflow; None lets it choose.

    Example:
        >>> MLflowReport("output", tracking_uri="sqlite:///mlruns.db").output_dir.as_posix()
        'output'
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        tracking_uri: str = "",
        experiment_name: str = "medmamba",
        run_name: str | None = None,
    ) -> None:
        self.output_dir = Path(output_dir)
        self.tracking_uri, self.experiment_name, self.run_name = tracking_uri, experiment_name, run_name

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Logs the report."""
        del engine
        log_report(self.output_dir, self.tracking_uri, self.experiment_name, self.run_name)


def log_report(
    run_dir: str | os.PathLike[str],
    tracking_uri: str = "",
    experiment_name: str = "medmamba",
    run_name: str | None = None,
) -> None:
    """Logs settings as parameters, figures with their intervals as metrics, and the report's files as artifacts.

    Where an MLflow run is active, it takes them; otherwise the latest one of this name does, such as that of the
    training, or where there is none a new one. Tables of predictions and the
    data list are not sent: they name images and patients.

    Args:
        run_dir: the run's folder, evaluated.
        tracking_uri: of MLflow, such as ``sqlite:///mlruns.db``; "" for its own default.
        experiment_name: of MLflow, where no run is active.
        run_name: of MLflow, where no run is active; None lets it choose.

    Raises:
        FileNotFoundError: there is no report in the folder.
        ValueError: mlflow is not installed.

    Example:
        >>> log_report("no such run")
        Traceback (most recent call last):
        FileNotFoundError: no such run/report.json is missing; evaluate the run, or write it with `medmamba report`
    """
    folder = Path(run_dir)
    path = folder / "report.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; evaluate the run, or write it with `medmamba report`")
    try:
        import mlflow
    except ImportError as error:
        raise ValueError("mlflow is not installed: pip install mlflow, or leave tracking off") from error

    content = json.loads(path.read_text(encoding="utf-8"))
    if mlflow.active_run() is not None:
        _log(mlflow, folder, content)
        return
    if tracking_uri:
        mlflow.set_tracking_uri(tracking_uri)
    experiments = [mlflow.set_experiment(experiment_name).experiment_id]
    named = f"attributes.run_name = '{run_name}'"
    before = mlflow.search_runs(experiments, named, max_results=1, output_format="list") if run_name else []
    with mlflow.start_run(run_id=before[0].info.run_id if before else None, run_name=run_name):
        _log(mlflow, folder, content)


def _log(mlflow: Any, folder: Path, content: dict[str, Any]) -> None:
    run, evidence = content["run"] or {}, content["evidence"] or {}
    settings = {**(run.get("config") or {}), **{f"version.{k}": v for k, v in (run.get("versions") or {}).items()}}
    if settings:
        mlflow.log_params({name: str(value) for name, value in settings.items()})
    figures = {name: row for name, row in evidence.get("figures", {}).items() if row["value"] is not None}
    metrics = {f"test_{name}": row["value"] for name, row in figures.items()}
    for edge in ("low", "high"):
        metrics |= {f"test_{name}_{edge}": row[edge] for name, row in figures.items() if row[edge] is not None}
    if metrics:
        mlflow.log_metrics(metrics)
    for name in ARTIFACTS:
        if (folder / name).is_dir():
            mlflow.log_artifacts(str(folder / name), artifact_path=f"report/{name}")
        elif (folder / name).is_file():
            mlflow.log_artifact(str(folder / name), artifact_path="report")
    for name in TABLES:
        if (folder / "evaluation" / name).is_file():
            mlflow.log_artifact(str(folder / "evaluation" / name), artifact_path="report/evaluation")
