"""Record how well methods explain trained networks: ``python benchmarks/explanations.py W [W ...] --data FOLDER``.

W are weights of runs that differ by their seed; FOLDER holds images that training has not seen. Every image's most
probable class is explained, right or wrong. Written are the means of deletion and insertion, and of insertion less
deletion the distance to random maps, several of each kind, with bootstrap intervals over the images, paired by image.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from provenance import write_record
from tqdm import tqdm

from monai_medmamba.explain import METHODS, attribute_scans, deletion_and_insertion, importance_map
from monai_medmamba.inference import find_pictures, load_classifier
from monai_medmamba.inference.classifier import read_weights

RANDOM = ("random pixels", "random blobs")
BLOBS = 8  # an edge of the random map whose blobs are as coarse as an activation map
DRAWS = 3  # of each kind of random map for each image
RESAMPLES = 2000
BATCH = 16


def random_map(name: str, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Return one map an image, of pixels or of blobs."""
    if name == "random pixels":
        return torch.rand(shape, generator=generator)
    return F.interpolate(torch.rand(shape[0], 1, BLOBS, BLOBS, generator=generator), shape[1:], mode="bilinear")[:, 0]


def areas_of(
    weights: Path, images: list[str], seed: int, steps: int, methods: list[str]
) -> tuple[dict[str, np.ndarray], np.ndarray, float]:
    """Return deletion and insertion, (n, 2), by method; the explained classes; what share the scans' state moves."""
    torch.set_num_threads(1)
    network, _description = read_weights(weights)
    prepare = load_classifier(weights, device="cpu").preprocessing
    generator = torch.Generator().manual_seed(seed)

    def probabilities(x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return network(x).softmax(1)

    found: dict[str, list] = {name: [] for name in (*methods, *RANDOM)}
    classes, moved, whole = [], 0.0, 0.0
    for start in tqdm(range(0, len(images), BATCH), unit="batch"):
        x = torch.stack([prepare.read(image) for image in images[start : start + BATCH]])
        index = probabilities(x).argmax(1)
        classes.append(index)

        def areas(maps: torch.Tensor, x: torch.Tensor = x, index: torch.Tensor = index) -> torch.Tensor:
            return deletion_and_insertion(probabilities, x, maps, index, steps=steps).areas

        maps = {name: torch.zeros(len(x), *x.shape[2:]) for name in methods}
        for chosen in index.unique().tolist():
            of_class = x[index == chosen]
            for name in methods:
                maps[name][index == chosen] = importance_map(network, of_class, chosen, name)
            attribution = attribute_scans(network, of_class, chosen)
            moved += float(attribution.given.abs().sum())
            whole += float(attribution.given.abs().sum() + attribution.kept.abs().sum())
        for name in methods:
            found[name].append(areas(maps[name]))
        for name in RANDOM:
            drawn = [areas(random_map(name, (len(x), *x.shape[2:]), generator)) for _ in range(DRAWS)]
            found[name].append(torch.stack(drawn).mean(0))
    return {name: torch.cat(rows).numpy() for name, rows in found.items()}, torch.cat(classes).numpy(), moved / whole


def interval(values: np.ndarray) -> list[float]:
    """Return the bootstrap 95 % interval of a mean."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
    return np.quantile(means, [0.025, 0.975]).tolist()


def summarise(areas: dict[str, np.ndarray], chosen: np.ndarray) -> list[dict]:
    """Return a row a method for the chosen images."""
    gains = {name: pair[chosen, 1] - pair[chosen, 0] for name, pair in areas.items()}
    best = max(RANDOM, key=lambda name: gains[name].mean())
    rows = []
    for name, pair in areas.items():
        over = gains[name] - gains[best]
        deletion, insertion = pair[chosen].mean(0).tolist()
        rows.append(
            {
                "method": name,
                "deletion": deletion,
                "insertion": insertion,
                "insertion_less_deletion": float(gains[name].mean()),
                "over_the_better_random_map": float(over.mean()),
                "interval": interval(over) if name != best else None,
            }
        )
    return rows


def main() -> None:
    """Write the record and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--name", default="explanations", help="of the record")
    parser.add_argument("--steps", type=int, default=16, help="of each curve")
    parser.add_argument("--every", type=int, default=1, help="take every so many images, for a quicker run")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="occlusion is slow")
    parser.add_argument("--note", default="")
    arguments = parser.parse_args()

    images, _failures = find_pictures([arguments.data])
    images = images[:: arguments.every]
    _network, description = read_weights(arguments.weights[0])
    runs = []
    count = len(arguments.weights)
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        settings = ([value] * count for value in (arguments.steps, arguments.methods))
        found = list(pool.map(areas_of, arguments.weights, [images] * count, range(count), *settings))
    for areas, classes, moved in found:
        groups = {"all": np.ones(len(classes), bool)}
        groups |= {name: classes == index for index, name in enumerate(description["class_names"])}
        rows = {name: {"n": int(g.sum()), "rows": summarise(areas, g)} for name, g in groups.items() if g.any()}
        runs.append({"moved_by_the_state": moved, "groups": rows})
    content = {"images": len(images), "steps": arguments.steps, "random_draws": DRAWS, "note": arguments.note}
    write_record(arguments.name, {**content, "runs": runs})
    for run in runs:
        print("moved by the state", run["moved_by_the_state"])
        for name, group in run["groups"].items():
            for row in group["rows"]:
                print(name, group["n"], row)


if __name__ == "__main__":
    main()
