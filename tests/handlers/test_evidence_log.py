import json

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_medmamba.handlers.evidence_log import log_evidence
from testing.finding_runs import make_finding_run
from testing.runs import make_run


def test_scalars_a_table_and_pictures(tmp_path):
    run = make_run(tmp_path, images=30, resamples=120)
    evidence = json.loads((run / "evaluation" / "evidence.json").read_text())
    log_evidence(tmp_path / "log", evidence)
    log = EventAccumulator(str(tmp_path / "log"))
    log.Reload()
    auc = evidence["figures"]["auc"]
    assert abs(log.Scalars("evidence/auc")[0].value - auc["value"]) < 1e-6
    table = log.Tensors("evidence/figures/text_summary")[0].tensor_proto.string_val[0].decode()
    assert f"| auc | {auc['value']:.3f} | {auc['low']:.3f} | {auc['high']:.3f} |" in table.splitlines()
    assert {f"evidence/{name}" for name in ("roc", "precision_recall", "reliability", "risk_coverage")} <= set(
        log.Tags()["images"]
    )


def test_several_labels_have_curves_alone(tmp_path):
    run = make_finding_run(tmp_path, images=30, resamples=5)
    log_evidence(tmp_path / "log", json.loads((run / "evaluation" / "evidence.json").read_text()))
    log = EventAccumulator(str(tmp_path / "log"))
    log.Reload()
    assert set(log.Tags()["images"]) == {"evidence/roc", "evidence/precision_recall"}
