"""Structured reports at the end of a bundle's inference."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from ignite.engine import Engine, Events

from ..handlers import read_checkpoint
from ..handlers.collection import PredictionCollector
from .algorithm import describe_algorithm
from .codes import class_codes
from .study_reports import report_studies, write_reports

__all__ = ["StructuredReports"]

logger = logging.getLogger(__name__)


class StructuredReports:
    """Writes a DICOM structured report for each study that an inference has seen.

    It is an Ignite handler for MONAI's evaluators, whose images must come from DICOM files or from folders with a
    series each. An image that cannot be part of a report is logged and passed over.

    Args:
        output_dir: Folder for the reports.
        checkpoint: The weights that are used; they tell whether an image may have several labels, and their content
            is part of the algorithm's version.
        class_names: Name of each class, in order.
        code_table: CSV or JSON file with a code for each class, as :func:`class_codes` reads it; "" for the private
            scheme.
        bundle: Folder of the bundle, for the algorithm's name and version; "" for those of the weights alone.
        series: Which series of a folder that is read as a volume; as ``LoadVolume`` takes it.

    Raises:
        ValueError: The table of codes does not fit the classes; or, at the end, no image could be part of a report.

    Example:
        >>> StructuredReports("reports", "model.pt", ["a", "b"]).codes["a"].scheme
        '99MEDMAMBA'
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        checkpoint: str | os.PathLike[str],
        class_names: Sequence[str],
        code_table: str = "",
        bundle: str = "",
        series: str | None = None,
    ) -> None:
        self.output_dir, self.checkpoint, self.bundle = Path(output_dir), checkpoint, bundle
        self.codes = class_codes(class_names, code_table or None)
        self.series = series
        self._collector = PredictionCollector()

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        self._collector.attach(engine)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _write(self, engine: Engine) -> None:
        del engine
        reports, missed = report_studies(
            self._collector.images,
            self._collector.probabilities,
            self.codes,
            describe_algorithm(self.checkpoint, self.bundle or None),
            several_labels=read_checkpoint(self.checkpoint)["description"].get("several_labels", False),
            series=self.series,
        )
        for one in missed:
            logger.warning("not in a report: %s: %s", *one)
        if not reports:
            raise ValueError(
                f"expected DICOM images to report on, got none among {len(self._collector.images)}; give the bundle "
                "a folder of DICOM files as --dataset_dir, or leave the overlay dicom_report out"
            )
        write_reports(self.output_dir, reports)
        logger.info("%d structured reports: %s", len(reports), self.output_dir)
