"""Record how well foreign images are told: ``python benchmarks/foreign.py W [W ...] --data D --foreign NAME=PATH ...``.

W are weights of runs that differ by their seed; D has train, val and test with a folder for each class, the images that
the weights know. The threshold of the distance accepts 95 % of val; familiar are the images of test. Each foreign
PATH is a folder, or a MedMNIST file whose test images are taken, evenly up to ``--most`` of them.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from provenance import write_record
from tqdm import tqdm

from monai_medmamba.bundle import prepare_data
from monai_medmamba.data import Datalist
from monai_medmamba.inference import find_pictures, measure_foreign


def pictures(path: Path, folder: Path, most: int) -> list[str]:
    """Return the files of a set, those of an archive written into a folder."""
    if path.suffix == ".npz":
        with np.load(path) as archive:
            for index, pixels in enumerate(archive["test_images"]):
                Image.fromarray(pixels).save(folder / f"{index:05d}.png")
        path = folder
    found = find_pictures([path])[0]
    return [found[place] for place in np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)]


def measure(weights: Path, data: Datalist, foreign: dict[str, list[str]]) -> dict:
    """Return how one network tells each foreign set from the familiar test images."""
    found = measure_foreign(weights, data, foreign, device="cpu")
    names = {"name": "foreign", "images": "n"}
    rows = [{names.get(key, key): value for key, value in row.items()} for row in found["sets"]]
    return {"familiar": found["familiar"], "rows": rows}


def main() -> None:
    """Write the record and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--foreign", required=True, nargs="+", metavar="NAME=PATH")
    parser.add_argument("--most", type=int, default=300, help="images of a foreign set")
    parser.add_argument("--name", default="foreign", help="of the record")
    parser.add_argument("--note", default="")
    arguments = parser.parse_args()

    data = prepare_data(str(arguments.data), 0)
    foreign = dict(word.split("=", 1) for word in arguments.foreign)
    with tempfile.TemporaryDirectory() as scratch:
        sets = {}
        for place, (name, path) in enumerate(foreign.items()):
            (Path(scratch) / str(place)).mkdir()
            sets[name] = pictures(Path(path), Path(scratch) / str(place), arguments.most)
        runs = [measure(weights, data, sets) for weights in tqdm(arguments.weights, unit="network")]
    write_record(arguments.name, {"note": arguments.note, "runs": runs})
    for run in runs:
        print(*run["rows"], sep="\n")


if __name__ == "__main__":
    main()
