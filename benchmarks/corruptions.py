"""Record how weights bear worse images: ``python benchmarks/corruptions.py W [W ...] --data FOLDER``.

W are weights of runs that differ by their seed; FOLDER is a data set as ``medmamba robustness`` takes it, and its test
split is measured.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from provenance import write_record
from tqdm import tqdm

from monai_medmamba.bundle import prepare_data
from monai_medmamba.inference import load_classifier
from monai_medmamba.robustness import CORRUPTIONS, measure_robustness


def main() -> None:
    """Write the record and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--corruptions", nargs="+", choices=list(CORRUPTIONS), default=list(CORRUPTIONS))
    parser.add_argument("--name", default="corruptions", help="of the record")
    parser.add_argument("--note", default="")
    arguments = parser.parse_args()

    data = prepare_data(arguments.data, 0)
    runs = []
    for weights in tqdm(arguments.weights, unit="network"):
        found = measure_robustness(
            load_classifier(weights, device="cpu"), data, corruptions=arguments.corruptions, progress=True
        )
        runs.append({"images": found.images, "seed": found.seed, "rows": [asdict(row) for row in found.rows]})
    write_record(arguments.name, {"note": arguments.note, "runs": runs})
    for run in runs:
        print(*run["rows"], sep="\n")


if __name__ == "__main__":
    main()
