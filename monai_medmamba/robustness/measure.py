"""The accuracy of trained weights under each corruption."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data import Datalist
from ..inference import ImageClassifier, Preprocessing
from ..metrics import classification_metrics
from ..transforms import QuantizeRGB, decode_picture
from ..transforms.quantize_rgb import dequantize_rgb
from .corruptions import CORRUPTIONS, SEVERITIES, corrupt

__all__ = ["Robustness", "RobustnessRow", "measure_robustness"]

_KEPT = ("accuracy", "balanced_accuracy", "auc")


@dataclass(frozen=True)
class RobustnessRow:
    """The figures of one corruption at one severity.

    Args:
        corruption: Its name.
        severity: 0 for clean images, then 1 to 5.
        strength: In the corruption's unit; None for clean images.
        accuracy: Share of images classified rightly.
        low: Lower end of the accuracy's 95 % interval (Wilson).
        high: Its upper end.
        balanced_accuracy: Mean sensitivity of the classes; None where undefined.
        auc: Mean over the classes; None where undefined.
        confidence: Mean probability of the predicted class.

    Example:
        >>> RobustnessRow("noise", 0, None, 0.9, 0.8, 0.95, 0.9, 0.97, 0.93).severity
        0
    """

    corruption: str
    severity: int
    strength: float | None
    accuracy: float
    low: float
    high: float
    balanced_accuracy: float | None
    auc: float | None
    confidence: float


@dataclass(frozen=True, eq=False)
class Robustness:
    """What was measured.

    Args:
        images: Their number.
        seed: Of chance.
        rows: By corruption, then by severity from 0.
        example: The first image as the network sees it, (3, H, W), in [0, 1].

    Example:
        >>> Robustness(10, 0, [], torch.zeros(3, 2, 2)).images
        10
    """

    images: int
    seed: int
    rows: list[RobustnessRow]
    example: Tensor


def measure_robustness(
    classifier: ImageClassifier,
    data: Datalist,
    *,
    split: str = "test",
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
    seed: int = 0,
    batch_size: int = 64,
    readers: int = 1,
    progress: bool = False,
) -> Robustness:
    """Measures accuracy under corruptions of rising severity.

    Pictures are corrupted at the network's size, after resizing and before normalisation. Each image meets the same
    chance at every severity.

    Args:
        classifier: From ``load_classifier``.
        data: From ``prepare_data`` or ``Datalist.load``.
        split: ``training``, ``validation`` or ``test``.
        corruptions: Keys of ``CORRUPTIONS``.
        seed: Of chance; the same gives the same figures.
        batch_size: Images that go through the network together.
        readers: Threads that read and corrupt.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        The figures, severity 0 being the clean images for each corruption.

    Raises:
        ValueError: The classes of weights and data differ, images may have several labels, the weights are for volumes,
            the split is empty, or a corruption is unknown.
        ImageReadError: An image cannot be read; the message names it.

    Example:
        >>> from ..inference import Preprocessing
        >>> even = ImageClassifier("w", ("a", "b"), Preprocessing(32, (0.5,) * 3, (0.2,) * 3), lambda x: x)
        >>> measure_robustness(even, Datalist(("a", "b"), [], [], [], "/set"))
        Traceback (most recent call last):
        ValueError: expected images in the split test of /set, got none
    """
    from tqdm.auto import tqdm

    preprocessing = classifier.preprocessing
    if not isinstance(preprocessing, Preprocessing):
        raise ValueError(f"{classifier.source}: expected weights for images, got some for volumes")
    samples = _checked(classifier, data, split, corruptions)
    truth = np.array([sample["label"] for sample in samples])
    jobs = [(name, severity) for name in corruptions for severity in range(1, SEVERITIES + 1)]
    # tqdm shows nothing where disable is None and the stream is no terminal.
    bar = tqdm(
        total=len(samples) * (len(jobs) + 1), unit="image", dynamic_ncols=True, disable=None if progress else True
    )
    with bar, ThreadPoolExecutor(readers) as pool:
        resize = preprocessing.resize
        quantize = QuantizeRGB()  # as training keeps its images, so that severity 0 is what `predict` sees
        pictures = list(pool.map(lambda sample: quantize(resize(decode_picture(sample["image"]))), samples))

        def classify(name: str, severity: int) -> NDArray[np.float32]:
            def worsened(index: int) -> Tensor:
                picture = dequantize_rgb(pictures[index])
                return preprocessing.normalize(corrupt(picture, name, severity, _seed(seed, index, name)))

            tables = []
            for start in range(0, len(pictures), batch_size):
                chosen = range(start, min(start + batch_size, len(pictures)))
                tables.append(classifier(torch.stack(list(pool.map(worsened, chosen)))))
                bar.update(len(chosen))
            return torch.cat(tables).numpy()

        clean = classify(corruptions[0], 0)
        worse = {job: classify(*job) for job in jobs}
    rows = []
    for name in corruptions:
        for severity in range(SEVERITIES + 1):
            table = worse[name, severity] if severity else clean
            rows.append(_row(name, severity, table, truth, classifier.class_names))
    return Robustness(len(samples), seed, rows, dequantize_rgb(pictures[0]))


def _checked(classifier: ImageClassifier, data: Datalist, split: str, corruptions: Sequence[str]) -> list:
    unknown = [name for name in corruptions if name not in CORRUPTIONS]
    if unknown or not corruptions:
        raise ValueError(
            f"expected some of the corruptions {', '.join(CORRUPTIONS)}, got {', '.join(unknown) or 'none'}"
        )
    if tuple(data.class_names) != tuple(classifier.class_names):
        raise ValueError(
            f"{os.fspath(classifier.source)}: expected the classes of the data, {', '.join(data.class_names)}, "
            f"got {', '.join(classifier.class_names)}; name the data that it was trained for"
        )
    if classifier.several_labels or data.several_labels:
        raise ValueError(f"{data.root}: expected one label an image, got several, whose robustness is not measured yet")
    samples = data.split(split)
    if not samples:
        raise ValueError(f"expected images in the split {split} of {data.root}, got none")
    return samples


def _seed(seed: int, index: int, name: str) -> int:
    """Returns a seed for one image and corruption, whatever its severity and whichever others are measured."""
    return int(np.random.SeedSequence([seed, index, list(CORRUPTIONS).index(name)]).generate_state(1)[0])


def _row(
    name: str, severity: int, table: NDArray[np.float32], truth: NDArray[np.int64], class_names: tuple[str, ...]
) -> RobustnessRow:
    from scipy.stats import binomtest

    figures = classification_metrics(table, truth, class_names)
    hits = int((table.argmax(axis=1) == truth).sum())
    interval = binomtest(hits, len(truth)).proportion_ci(method="wilson")
    strength = float(CORRUPTIONS[name].strengths[severity - 1]) if severity else None
    kept = {figure: figures[figure] for figure in _KEPT}
    confidence = float(table.max(axis=1).mean())
    return RobustnessRow(name, severity, strength, low=interval.low, high=interval.high, confidence=confidence, **kept)
