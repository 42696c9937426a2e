"""Explanations of picture files: overlays, the directions of the scans, and a JSON file that tells what is where."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..files import atomic_path
from ..inference import Failure, Preprocessing
from ..inference.classifier import picture_network
from ..networks import MedMamba
from ..transforms import ImageReadError, decode_picture
from ..visualize.picture import png
from ..visualize.style import shorten
from .activation_maps import resized
from .faithfulness import deletion_and_insertion
from .figures import direction_shares, directions_figure, overlay_figure
from .methods import METHODS, importance_map
from .scan_attribution import attribute_scans

__all__ = ["Explanation", "explain_pictures"]

logger = logging.getLogger(__name__)

FILE_NAME = "explanations.json"
_LONGEST = 1024  # pixels of the longer side of an image in a picture


@dataclass(frozen=True)
class Explanation:
    """What was explained of one picture, and where the pictures of it are.

    Args:
        image: Its path.
        explained: Name of the explained class.
        probabilities: Of each class, by name.
        overlays: File name of the overlay of each method, in the output folder.
        directions: File name of the picture of the four directions; None where the method ``scan`` was not asked for.
        direction_shares: How much of all that the directions carry goes through each, by name; empty as above.
        areas: Deletion and insertion of each method; empty where they were not asked for.

    Example:
        >>> Explanation("a.png", "polyp", {"polyp": 1.0}, {"scan": "a-scan.png"}, None, {}, {}).explained
        'polyp'
    """

    image: str
    explained: str
    probabilities: dict[str, float]
    overlays: dict[str, str]
    directions: str | None
    direction_shares: dict[str, float]
    areas: dict[str, dict[str, float]]


def explain_pictures(
    weights: str | os.PathLike[str],
    images: Sequence[str],
    out: str | os.PathLike[str],
    *,
    methods: Sequence[str] = METHODS[:1],
    class_name: str | None = None,
    stage: int | None = None,
    areas: bool = False,
    device: str = "auto",
    backend: str | None = None,
    window: tuple[float, float] | None = None,
    failures: Sequence[Failure] = (),
    progress: bool = False,
) -> tuple[list[Explanation], list[Failure]]:
    """Explains pictures, and writes what it finds into a folder; one bad file never stops the rest.

    Args:
        weights: ``model.safetensors``, ``model.pt`` or ``last.pt`` of a training, or what ``save_weights`` wrote.
        images: Paths of pictures.
        out: Folder for the PNG files and ``explanations.json``; is made if it is missing.
        methods: Names; see ``importance_map``.
        class_name: The class to explain; None for each picture's most probable.
        stage: See ``importance_map``.
        areas: Whether deletion and insertion are measured as well: 66 forward passes a picture and method.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where there is one.
        backend: Of the scans.
        window: Centre and width for grey DICOM files, in place of what they carry.
        failures: Names that led to no picture, to be listed first.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        The explanations, and the pictures that could not be read with the reasons.

    Raises:
        FileNotFoundError: There is no such file of weights.
        ValueError: The weights cannot be used (see ``load_classifier``) or are for several labels an image, or a
            method, class or stage is unknown.
        OSError: The folder cannot be written.

    Example:
        >>> import tempfile
        >>> from ..networks import medmamba_nano, save_weights
        >>> folder, kept = tempfile.mkdtemp(), {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
        >>> save_weights(f"{folder}/w.safetensors", medmamba_nano(num_classes=2), ["a", "b"], kept)
        >>> [bad.image for bad in explain_pictures(f"{folder}/w.safetensors", ["missing.png"], folder, device="cpu")[1]]
        ['missing.png']
    """
    from tqdm.auto import tqdm

    network, names, preprocessing, chosen = picture_network(weights, device, backend, one_label=True)
    if class_name is not None and class_name not in names:
        raise ValueError(f"{os.fspath(weights)}: expected one of its classes {', '.join(names)}, got {class_name!r}")
    work = _Work(network, names, preprocessing, chosen, Path(out), tuple(methods), class_name, stage, areas)
    work.check()
    found: list[Explanation] = []
    missed = list(failures)
    # tqdm shows nothing where disable is None and the stream is no terminal.
    for image in tqdm(images, unit="image", dynamic_ncols=True, disable=None if progress else True):
        try:
            pixels = decode_picture(image, window)
        except ImageReadError as error:
            missed.append(Failure(image, str(error).removeprefix(f"Cannot read the image {image}: ")))
        except Exception as error:  # whatever is wrong with one file, the others are still taken
            logger.debug("reading %s", image, exc_info=True)
            missed.append(Failure(image, f"{type(error).__name__}: {error}"))
        else:
            found.append(work.explain(image, pixels, len(found) + 1))
    content = {
        "weights": Path(weights).name,
        "class_names": list(names),
        "preprocessing": preprocessing.describe(),
        "explanations": [asdict(explanation) for explanation in found],
        "failures": [failure._asdict() for failure in missed],
    }
    with atomic_path(Path(out) / FILE_NAME) as temporary:
        # A file name that is not UTF-8 holds lone surrogates; backslashreplace makes JSON escapes of them.
        text = json.dumps(content, indent=4, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return found, missed


@dataclass(frozen=True, eq=False)
class _Work:
    """What is the same for all pictures."""

    network: MedMamba
    names: tuple[str, ...]
    preprocessing: Preprocessing
    device: torch.device
    out: Path
    methods: tuple[str, ...]
    class_name: str | None
    stage: int | None
    areas: bool

    def check(self) -> None:
        """Raises ValueError before the first picture where a method or stage is wrong."""
        size = self.preprocessing.image_size
        for method in self.methods:
            if method == "occlusion" and self.stage is None:
                continue  # slow, and nothing to check
            importance_map(self.network, torch.zeros(1, 3, size, size, device=self.device), 0, method, stage=self.stage)

    def explain(self, image: str, pixels: NDArray[np.float32], number: int) -> Explanation:
        """Explains one picture and writes its files."""
        x = self.preprocessing.prepare(pixels)[None].to(self.device)
        probabilities = self._probabilities(x)[0]
        index = int(probabilities.argmax()) if self.class_name is None else self.names.index(self.class_name)
        title = f"{shorten(self.names[index], 40)}: probability {probabilities[index]:.2f}"
        shown = thumbnail(pixels)
        stem = f"{number:04d}-{_portable(Path(image).stem)}"
        overlays, areas, directions = {}, {}, None
        shares: dict[str, float] = {}
        for method in self.methods:
            if method == "scan":
                attribution = attribute_scans(self.network, x, index, stages=self._stages())
                heat, parts = attribution.total, attribution.directions[0].cpu().numpy()
                shares = direction_shares(parts)
                directions = f"{stem}-directions.png"
                note = f"{shorten(Path(image).name, 50)} · above each map, its share in all that the scans carry"
                self._write(directions, png(directions_figure(shown, parts, title, note)))
            else:
                heat = importance_map(self.network, x, index, method, stage=self.stage)
            overlays[method] = f"{stem}-{method}.png"
            note = f"{shorten(Path(image).name, 50)} · {method}"
            self._write(overlays[method], png(overlay_figure(shown, heat[0].cpu().numpy(), title, note)))
            if self.areas:
                curves = deletion_and_insertion(self._probabilities, x, heat, torch.tensor([index], device=x.device))
                deletion, insertion = curves.areas[0].tolist()
                areas[method] = {"deletion": deletion, "insertion": insertion}
        table = dict(zip(self.names, probabilities.tolist(), strict=True))
        return Explanation(image, self.names[index], table, overlays, directions, shares, areas)

    def _probabilities(self, x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return self.network(x).float().softmax(dim=1)

    def _stages(self) -> list[int] | None:
        return None if self.stage is None else [self.stage]

    def _write(self, name: str, data: bytes) -> None:
        with atomic_path(self.out / name) as temporary:
            temporary.write_bytes(data)


def thumbnail(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the picture at its own size, or smaller where it is large."""
    longest = max(pixels.shape[1:])
    if longest <= _LONGEST:
        return pixels
    size = tuple(max(1, round(edge * _LONGEST / longest)) for edge in pixels.shape[1:])
    return resized(torch.from_numpy(pixels)[None], size)[0].numpy()


def _portable(stem: str) -> str:
    """Returns a part of a file name that every file system takes."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in stem)
    return kept.encode("ascii", "replace").decode().replace("?", "_")[:80]
