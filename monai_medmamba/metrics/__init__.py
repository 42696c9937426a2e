"""Figures of merit for classification, and the table of predictions they are counted from."""

from .classification import classification_metrics
from .predictions import Predictions, read_predictions, write_predictions

__all__ = ["Predictions", "classification_metrics", "read_predictions", "write_predictions"]
