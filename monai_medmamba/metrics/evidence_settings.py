"""What the evidence of a run is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EvidenceSettings:
    """What the evidence of a run is asked for.

    Args:
        resamples: of each bootstrap.
        seed: of its draws.
        targets: of the operating points: sensitivity and specificity to fix on validation.
        target_accuracy: of the images kept when doubtful ones are left to a reader.
        ordinal: whether the order of the classes is one of degree, so that quadratic kappa means something.
        table: CSV or TSV file with a column path and columns to part the images by; None takes the one that lies in
            the data's folder.
        columns: which of its columns; None takes those with from 2 to 12 different values.

    Example:
        >>> EvidenceSettings(resamples=200).targets["sensitivity"]
        0.95
    """

    resamples: int = 1000
    seed: int = 0
    targets: dict[str, float] = field(default_factory=lambda: {"sensitivity": 0.95, "specificity": 0.95})
    target_accuracy: float = 0.95
    ordinal: bool = False
    table: str | None = None
    columns: Sequence[str] | None = None
