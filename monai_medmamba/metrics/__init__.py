"""Figures of merit for classification, their intervals, and the table of predictions they are counted from."""

from .bootstrap import Bootstrap, bootstrap_intervals
from .classification import JudgedClasses, classification_metrics
from .comparison import compare_predictions
from .evidence import write_evidence
from .evidence_settings import EvidenceSettings
from .findings import FindingPredictions, read_findings, write_findings
from .linear_probe import ProbeResult, probe_features
from .multilabel import JudgedFindings, multilabel_metrics
from .operating_points import choose_threshold
from .predictions import Predictions, read_predictions, write_predictions
from .subgroups import subgroup_figures
from .temperature import apply_temperature, fit_temperature

__all__ = [
    "Bootstrap",
    "EvidenceSettings",
    "FindingPredictions",
    "JudgedClasses",
    "JudgedFindings",
    "Predictions",
    "ProbeResult",
    "apply_temperature",
    "bootstrap_intervals",
    "choose_threshold",
    "classification_metrics",
    "compare_predictions",
    "fit_temperature",
    "multilabel_metrics",
    "probe_features",
    "read_findings",
    "read_predictions",
    "subgroup_figures",
    "write_evidence",
    "write_findings",
    "write_predictions",
]
