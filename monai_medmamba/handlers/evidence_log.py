"""The evidence of an evaluation in TensorBoard: figures with their intervals, curves, calibration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..visualize import curves_figure, reliability_figure, risk_coverage_figure

__all__ = ["log_evidence"]


def log_evidence(log_dir: str | os.PathLike[str], evidence: Mapping[str, Any]) -> None:
    """Writes figures as scalars, a table of them with intervals, and curves as pictures into a TensorBoard log.

    Args:
        log_dir: folder of the log.
        evidence: what :func:`monai_medmamba.metrics.write_evidence` returned.

    Example:
        >>> log_evidence.__name__
        'log_evidence'
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(os.fspath(log_dir)) as writer:
        known = {name: row for name, row in evidence["figures"].items() if row["value"] is not None}
        for name, row in known.items():
            writer.add_scalar(f"evidence/{name}", row["value"])
        writer.add_text("evidence/figures", _table(known))
        for kind in ("roc", "precision_recall"):
            writer.add_figure(f"evidence/{kind}", curves_figure(evidence, kind))
        if "after" in evidence["calibration"]:  # not where an image may have several labels
            writer.add_figure("evidence/reliability", reliability_figure(evidence["calibration"]))
        if evidence["abstention"] is not None:
            writer.add_figure("evidence/risk_coverage", risk_coverage_figure(evidence["abstention"]))


def _table(figures: Mapping[str, Mapping[str, float | None]]) -> str:
    """Returns the figures as Markdown."""
    lines = ["| figure | value | low | high |", "|---|---|---|---|"]
    for name, row in figures.items():
        cells = ("" if row[edge] is None else f"{row[edge]:.3f}" for edge in ("value", "low", "high"))
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)
