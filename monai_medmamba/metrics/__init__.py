"""Figures of merit for classification, and the table of predictions they are counted from."""

from .classification import classification_metrics
from .linear_probe import ProbeResult, probe_features
from .predictions import Predictions, read_predictions, write_predictions

__all__ = [
    "Predictions",
    "ProbeResult",
    "classification_metrics",
    "probe_features",
    "read_predictions",
    "write_predictions",
]
