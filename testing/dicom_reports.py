"""Reports for tests."""

from pathlib import Path
from typing import Any

import numpy as np

from monai_medmamba.dicom import Algorithm, StudyReport, class_codes, report_studies

ALGORITHM = Algorithm("MedMamba ü", "1.2, weights sha256 0123", ("temperature 1.5",))
CLASSES = ["normal", "foreign body / clip", "日本"]
ROWS = np.float32([[0.1, 0.7, 0.2], [0.6, 0.55, 0.01], [0.25, 0.25, 0.5]])


def study_report(*paths: Path, **options: Any) -> StudyReport:
    """Return the report of files of one study, with the first rows of ``ROWS``."""
    images = [str(path) for path in paths]
    studies, missed = report_studies(images, ROWS[: len(images)], class_codes(CLASSES), ALGORITHM, **options)
    assert missed == []
    [study] = studies
    return study
