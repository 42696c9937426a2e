"""An exported ONNX file as something that classifies batches of images, through ONNX Runtime."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .classifier import ImageClassifier, has_several_labels, read_description, read_weights, temperature_of

__all__ = ["load_onnx_classifier"]

logger = logging.getLogger(__name__)

PREFIX = "monai_medmamba."
KEYS = ("class_names", "preprocessing")  # of the file's metadata, after the prefix, each a JSON text
FURTHER = ("calibration", "several_labels")  # beside them: a temperature that was fitted, whether labels are several
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def load_onnx_classifier(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> ImageClassifier:
    """Returns the classifier of an ONNX file. Needs ONNX Runtime.

    Class names and preprocessing come from the file's metadata, ``monai_medmamba.class_names`` and
    ``monai_medmamba.preprocessing``, as ``medmamba export`` writes them; where a file has none, from the weights that
    it was made from.

    Args:
        path: The ONNX file: one input, images (n, 3, H, W) or volumes (n, 1, X, Y, Z), and logits (n, C) as its first
            output.
        weights: The weights that it was made from; None looks for a ``.safetensors``, then a ``.pt`` file of the same
            name beside it.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where ONNX Runtime has it.
        threads: Of ONNX Runtime on the CPU; None leaves it the choice.

    Returns:
        The classifier.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: ONNX Runtime is not installed or cannot read the file; nothing tells class names or preprocessing;
            they do not fit the file, or two sources name other classes; or there is no such device.

    Example:
        >>> load_onnx_classifier("missing.onnx")
        Traceback (most recent call last):
        FileNotFoundError: no ONNX file at missing.onnx: write one with `medmamba export --format onnx`
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no ONNX file at {path}: write one with `medmamba export --format onnx`")
    session = _open(path, device, threads)
    source, description = _describe(path, session, weights)
    class_names, preprocessing = read_description(source, description)
    name, one_by_one = _check_input(path, session, preprocessing.shape)

    def logits(batch: torch.Tensor) -> torch.Tensor:
        images = batch.numpy()
        parts = np.split(images, len(images)) if one_by_one else [images]
        return torch.from_numpy(np.concatenate([session.run(None, {name: part})[0] for part in parts]))

    several = has_several_labels(source, description)
    return ImageClassifier(str(path), class_names, preprocessing, logits, temperature_of(source, description), several)


def _open(path: Path, device: str, threads: int | None) -> Any:
    """Returns the session of ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(
            "an ONNX file runs through ONNX Runtime, which is not installed: pip install onnxruntime"
        ) from error
    available = onnxruntime.get_available_providers()
    if device not in ("auto", *PROVIDERS):
        raise ValueError(f"expected device auto, cpu or cuda, got {device!r}")
    if device == "cuda" and PROVIDERS["cuda"] not in available:
        raise ValueError("device cuda: this ONNX Runtime has no CUDA; pip install onnxruntime-gpu, or use --device cpu")
    wanted = [PROVIDERS[name] for name in ("cuda", "cpu") if device in ("auto", name)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    try:
        session = onnxruntime.InferenceSession(path, options, providers=[name for name in wanted if name in available])
    except Exception as error:  # ONNX Runtime raises a class of its own for each kind of damage
        raise ValueError(f"{path}: ONNX Runtime cannot open it ({error})") from error
    if device == "cuda" and PROVIDERS["cuda"] not in session.get_providers():
        raise ValueError("device cuda: ONNX Runtime could not start CUDA; see its warning above, or use --device cpu")
    return session


def _describe(path: Path, session: Any, weights: str | os.PathLike[str] | None) -> tuple[Path, dict[str, Any]]:
    """Returns the file that tells class names and preprocessing, and what it tells."""
    kept = session.get_modelmeta().custom_metadata_map
    try:
        own = {key: json.loads(kept[PREFIX + key]) for key in (*KEYS, *FURTHER) if PREFIX + key in kept}
    except ValueError as error:
        raise ValueError(
            f"{path}: its metadata {', '.join(PREFIX + key for key in KEYS)} are no JSON ({error})"
        ) from error
    beside = [file for suffix in (".safetensors", ".pt") if (file := path.with_suffix(suffix)).is_file()]
    source = Path(weights) if weights is not None else beside[0] if beside else None
    if own.keys() >= set(KEYS):
        if weights is not None and read_weights(weights)[1].get("class_names") != own["class_names"]:
            raise ValueError(
                f"{path} and {os.fspath(weights)} name different classes: leave --weights out, or correct it"
            )
        return path, own
    if source is None:
        raise ValueError(
            f"{path}: it does not tell its classes and preprocessing (no {' and '.join(PREFIX + key for key in KEYS)} "
            "in its metadata). Name the weights it was made from with --weights, or export it again with "
            "`medmamba export --format onnx`"
        )
    logger.info("classes and preprocessing of %s: %s", path.name, source)
    return source, read_weights(source)[1]


def _check_input(path: Path, session: Any, taken: tuple[int, ...]) -> tuple[str, bool]:
    """Returns the input's name, and whether it takes one image at a time; raises where it takes no such images."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    fixed = [length if isinstance(length, int) else None for length in shape]  # what is left open is None or a name
    wanted = (1, *taken)
    if len(fixed) != len(wanted) or any(have not in (None, want) for have, want in zip(fixed, wanted, strict=True)):
        raise ValueError(
            f"{path}: expected one input, images of {taken} in batches of any size or 1, got "
            f"{[(node.name, node.shape) for node in inputs]}; export it again with `medmamba export --format onnx`"
        )
    return inputs[0].name, fixed[0] == 1
