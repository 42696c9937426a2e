"""``medmamba calibrate``: a temperature for weights, fitted on validation images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]

EXAMPLES = """\
examples:
  medmamba calibrate models/model.safetensors output/evaluation/validation.csv
  medmamba calibrate models/model.pt output/evaluation/validation.csv

Training stores a temperature with its weights; this is for weights from before. From then on `medmamba predict` and the
bundles divide the logits by it. No prediction changes, only how sure it is. Evaluate again afterwards.

Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "calibrate",
        help="fit a temperature on validation images and store it with the weights",
        description="Fit the temperature that makes probabilities honest on validation images, and store it in\n"
        "the file of the weights.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", type=Path, metavar="W", help="model.safetensors or model.pt; it is rewritten")
    parser.add_argument(
        "validation", type=Path, metavar="CSV", help="predictions of these weights on validation images, with classes"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..inference import calibrate_weights

    found = calibrate_weights(arguments.weights, arguments.validation)
    why = f": {found['reason']}" if found["reason"] else ""
    sys.stdout.write(
        f"{arguments.weights}: temperature {found['temperature']:.3f}{why}; log loss on {found['images']} validation "
        f"images {found['log_loss_before']:.4f} before, {found['log_loss_after']:.4f} after\n"
    )
    return 0
