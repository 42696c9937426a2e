"""Record the accuracy of trained runs: ``python benchmarks/accuracy.py NAME RUN [RUN ...]``.

A RUN is a bundle's output folder after training and evaluation; runs of one record differ by their seed alone. The
record goes to ``benchmarks/results/<date>-<NAME>.json``.
"""

import argparse
import csv
import datetime
import json
import statistics
from pathlib import Path

from provenance import commit
from targets import RESULTS, write_targets

FIGURES = ("accuracy", "balanced_accuracy", "auc", "precision", "sensitivity", "specificity", "f1")


def summarise(run: Path) -> dict:
    """Return one run's seed, test figures and times."""
    record = json.loads((run / "run.json").read_text())
    metrics = json.loads((run / "evaluation" / "metrics.json").read_text())
    with (run / "history.csv").open(newline="") as stream:
        seconds = [float(row["seconds"]) for row in csv.DictReader(stream)]
    return {
        "seed": record["config"]["seed"],
        "test_images": metrics["images"],
        **{name: metrics[name] for name in FIGURES},
        "confusion_matrix": metrics["confusion_matrix"],
        "epochs": len(seconds),
        "seconds_per_epoch_median": statistics.median(seconds),
        "training_seconds": record["seconds"],
    }


def main() -> None:
    """Write the record and print its means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the record, such as kvasir-seg-patches-h100")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--note", default="", help="what a reader must know beside the figures")
    arguments = parser.parse_args()

    first = json.loads((arguments.runs[0] / "run.json").read_text())
    runs = [summarise(run) for run in arguments.runs]
    settings = {name: value for name, value in first["config"].items() if name != "seed"}
    record = {
        "date": first["started"][:10],
        "commit": commit(),
        "device": first["device"],
        "versions": first["versions"],
        "dataset": first["dataset"],
        "counts": first["counts"],
        "settings": settings,
        "note": arguments.note,
        "runs": runs,
        "mean": {name: statistics.mean(run[name] for run in runs) for name in FIGURES},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{record['date'] or datetime.date.today()}-{arguments.name}.json"
    path.write_text(json.dumps(record, indent=4) + "\n")
    write_targets()
    print(path, {name: round(value, 4) for name, value in record["mean"].items()})


if __name__ == "__main__":
    main()
