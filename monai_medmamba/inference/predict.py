"""Pictures or volumes through a classifier, batch by batch; what cannot be read is noted and passed over."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import torch

from ..metrics import FindingPredictions, Predictions
from ..transforms import ImageReadError
from .classifier import ImageClassifier
from .picture_paths import Failure
from .preprocessing import Preprocessing
from .volume_preprocessing import VolumePreprocessing

__all__ = ["Outcome", "predict"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a list of pictures.

    Args:
        predictions: Of the pictures that could be read, in the order of the list; of several labels an image, if the
            classifier is for them.
        failures: The others, in that order.

    Example:
        >>> import numpy as np
        >>> Outcome(Predictions(["a.png"], None, np.float32([[0.25, 0.75]]), ["x", "y"]), []).failures
        []
    """

    predictions: Predictions | FindingPredictions
    failures: list[Failure]


def predict(
    classifier: ImageClassifier,
    images: Sequence[str],
    *,
    batch_size: int = 16,
    readers: int = 1,
    window: tuple[float, float] | None = None,
    progress: bool = False,
) -> Outcome:
    """Classifies pictures, or volumes where the classifier is for these.

    Args:
        classifier: From ``load_classifier`` or ``load_onnx_classifier``.
        images: Their paths.
        batch_size: Pictures that go through the network together, at least 1.
        readers: Threads that read pictures ahead of the network, at least 1.
        window: Centre and width for grey DICOM files, in place of what they carry.
        progress: Whether a bar is shown on the error stream, if that is a terminal.

    Returns:
        Probabilities of every picture that could be read, and the reasons of the others.

    Raises:
        ValueError: ``batch_size`` or ``readers`` is less than 1, or the classifier does not fit its class names.

    Example:
        >>> from .preprocessing import Preprocessing
        >>> prepare = Preprocessing(32, (0.5,) * 3, (0.25,) * 3)
        >>> flat = ImageClassifier("none", ("a", "b"), prepare, lambda batch: torch.zeros(len(batch), 2))
        >>> [failure.image for failure in predict(flat, ["missing.png"]).failures]
        ['missing.png']
    """
    names, table, failures = in_batches(
        classifier.preprocessing,
        images,
        classifier,
        len(classifier.class_names),
        batch_size=batch_size,
        readers=readers,
        window=window,
        progress=progress,
    )
    kind = FindingPredictions if classifier.several_labels else Predictions
    return Outcome(kind(names, None, table.numpy(), list(classifier.class_names)), failures)


def in_batches(
    preprocessing: Preprocessing | VolumePreprocessing,
    images: Sequence[str],
    network: Callable[[torch.Tensor], torch.Tensor],
    columns: int,
    *,
    batch_size: int,
    readers: int,
    window: tuple[float, float] | None,
    progress: bool,
) -> tuple[list[str], torch.Tensor, list[Failure]]:
    """Returns the pictures that could be read, what ``network`` makes of them, (n, columns), and the others."""
    from tqdm.auto import tqdm

    if min(batch_size, readers) < 1:
        raise ValueError(f"expected batch_size and readers of at least 1, got {batch_size} and {readers}")

    def read(path: str) -> torch.Tensor | Failure:
        try:
            return preprocessing.read(path, window)
        except ImageReadError as error:
            return Failure(path, str(error).removeprefix(f"Cannot read the image {path}: "))
        except Exception as error:  # whatever is wrong with one file, the others are still taken
            logger.debug("reading %s", path, exc_info=True)
            return Failure(path, f"{type(error).__name__}: {error}")

    names: list[str] = []
    failures: list[Failure] = []
    rows = [torch.empty(0, columns)]
    # tqdm shows nothing where disable is None and the stream is no terminal.
    bar = tqdm(total=len(images), unit="image", dynamic_ncols=True, disable=None if progress else True)
    with bar, ThreadPoolExecutor(readers) as pool:
        results = _read_ahead(pool, read, images, 2 * batch_size)
        while group := list(islice(results, batch_size)):
            failures += [result for _, result in group if isinstance(result, Failure)]
            batch = [result for _, result in group if not isinstance(result, Failure)]
            if batch:
                names += [path for path, result in group if not isinstance(result, Failure)]
                rows.append(network(torch.stack(batch)))
            bar.update(len(group))
    return names, torch.cat(rows), failures


def _read_ahead(
    pool: ThreadPoolExecutor, read: Callable[[str], torch.Tensor | Failure], images: Sequence[str], ahead: int
) -> Iterator[tuple[str, torch.Tensor | Failure]]:
    """Yields each path with what ``read`` returns, in order, holding no more than ``ahead`` of them."""
    waiting: deque[tuple[str, Future[torch.Tensor | Failure]]] = deque()
    for path in images:
        waiting.append((path, pool.submit(read, path)))
        if len(waiting) >= ahead:
            first, result = waiting.popleft()
            yield first, result.result()
    for path, result in waiting:
        yield path, result.result()
