"""Figures of a trained classifier and the one-page report that holds them.

Every figure is a plain `matplotlib.figure.Figure`, never registered with pyplot, so it needs no display, is freed with
its last reference, and goes to a file, to TensorBoard or into the report alike.
"""

from .calibration import reliability_figure, risk_coverage_figure
from .comparison import write_comparison
from .confusion_matrix import confusion_matrix_figure
from .curves import curves_figure
from .examples import examples_figure
from .report import write_report
from .training_curves import training_curves_figure

__all__ = [
    "confusion_matrix_figure",
    "curves_figure",
    "examples_figure",
    "reliability_figure",
    "risk_coverage_figure",
    "training_curves_figure",
    "write_comparison",
    "write_report",
]
