"""Trained weights as something that classifies batches of images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..handlers import read_checkpoint
from ..handlers.checkpoint import load_state
from ..networks import MedMamba, load_weights
from .preprocessing import CHANNELS, Preprocessing
from .volume_preprocessing import AXES, VolumePreprocessing

__all__ = ["ImageClassifier", "load_classifier"]


@dataclass(frozen=True)
class ImageClassifier:
    """A network with what its weights say of themselves.

    Args:
        source: The file of the weights.
        class_names: The name of each class, in the order of the logits.
        preprocessing: What a picture or a volume goes through first.
        logits: Takes a batch (n, 3, H, W) or (n, 1, X, Y, Z), float32, to logits (n, C).
        temperature: By which the logits are divided, fitted on validation images; 1 where none was.
        several_labels: Whether an image may have several labels: each logit is then a question of its own.

    Example:
        >>> prepare = Preprocessing(32, (0.5,) * 3, (0.25,) * 3)
        >>> flat = ImageClassifier("none", ("a", "b"), prepare, lambda batch: torch.zeros(len(batch), 2))
        >>> flat(torch.zeros(1, 3, 32, 32)).tolist()
        [[0.5, 0.5]]
    """

    source: str
    class_names: tuple[str, ...]
    preprocessing: Preprocessing | VolumePreprocessing
    logits: Callable[[torch.Tensor], torch.Tensor]
    temperature: float = 1.0
    several_labels: bool = False

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Returns calibrated probabilities.

        Args:
            batch: Images (n, 3, H, W) or volumes (n, 1, X, Y, Z), float32, on the CPU.

        Returns:
            Probabilities (n, C), float32, on the CPU.

        Raises:
            ValueError: The logits do not fit the class names, or are not finite.
        """
        logits = self.logits(batch).float().cpu()
        if tuple(logits.shape) != (len(batch), len(self.class_names)):
            raise ValueError(
                f"{self.source}: expected one output for each of {len(self.class_names)} classes, "
                f"got outputs of shape {tuple(logits.shape)} for {len(batch)} images; name the weights it was made from"
            )
        if not torch.isfinite(logits).all():
            raise ValueError(f"{self.source}: the outputs are not finite numbers; use other weights")
        scaled = logits / self.temperature
        return scaled.sigmoid() if self.several_labels else scaled.softmax(dim=1)


def load_classifier(
    weights: str | os.PathLike[str], device: str = "auto", backend: str | None = None
) -> ImageClassifier:
    """Returns the classifier of weights that this package wrote.

    Args:
        weights: ``model.safetensors``, ``model.pt`` or ``last.pt`` of a training, or what ``save_weights`` wrote.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where there is one.
        backend: Of the scans; None leaves the choice to the environment variable and then to ``"auto"``.

    Returns:
        The classifier, on the device, in float32.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, was not written by this package, lacks class names or preprocessing, is for
            other images than RGB pictures and volumes of one channel, or there is no such device.

    Example:
        >>> import tempfile
        >>> from ..networks import medmamba_nano, save_weights
        >>> path = f"{tempfile.mkdtemp()}/w.safetensors"
        >>> kept = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
        >>> save_weights(path, medmamba_nano(num_classes=2), ["a", "b"], kept)
        >>> load_classifier(path, device="cpu").class_names
        ('a', 'b')
    """
    network, description, class_names, preprocessing, chosen = network_on_device(weights, device, backend)

    def logits(batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return network(batch.to(chosen))

    several = has_several_labels(weights, description)
    temperature = temperature_of(weights, description)
    return ImageClassifier(os.fspath(weights), class_names, preprocessing, logits, temperature, several)


def read_weights(weights: str | os.PathLike[str], backend: str | None = None) -> tuple[MedMamba, dict[str, Any]]:
    """Returns network, in eval mode, and description of a safetensors file or a checkpoint."""
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights at {path}: name the model.safetensors or model.pt that a training left in its ckpt_dir"
        )
    if path.suffix.lower() == ".safetensors":
        return load_weights(path, backend)
    content = read_checkpoint(path)
    description = content["description"]
    if "network" not in description:
        raise ValueError(
            f"{path}: expected the checkpoint of a MedMamba, got that of a {description.get('variant')}, which does "
            "not say how to build it; a baseline is evaluated by its bundle, under the overlay that trained it"
        )
    network = MedMamba(**description["network"], backend=backend)
    load_state(path, network, content)
    return network.eval(), description


def picture_network(
    weights: str | os.PathLike[str], device: str, backend: str | None, *, one_label: bool = False
) -> tuple[MedMamba, tuple[str, ...], Preprocessing, torch.device]:
    """Returns a network for RGB pictures on its device, and what its weights say; raises as load_classifier does.

    With ``one_label`` also for weights of several labels an image.
    """
    network, description, names, preprocessing, chosen = network_on_device(weights, device, backend)
    if not isinstance(preprocessing, Preprocessing):
        raise _for_volumes(weights)
    if one_label and has_several_labels(weights, description):
        raise ValueError(f"{os.fspath(weights)}: expected weights for one label an image, got some for several")
    return network, names, preprocessing, chosen


class LoadedNetwork(NamedTuple):
    """A network on its device, and what its weights say."""

    network: MedMamba
    description: dict[str, Any]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing | VolumePreprocessing
    device: torch.device


def network_on_device(weights: str | os.PathLike[str], device: str, backend: str | None) -> LoadedNetwork:
    """Returns a network for pictures or volumes; raises as load_classifier does."""
    chosen = choose_device(device)
    network, description = read_weights(weights, backend)
    names, preprocessing = read_description(weights, description)
    wanted = (2, CHANNELS) if isinstance(preprocessing, Preprocessing) else (AXES, 1)
    if (network.spatial_dims, network.in_channels) != wanted:
        raise ValueError(
            f"{os.fspath(weights)}: expected a network for images of {CHANNELS} channels or volumes of one, as its "
            f"preprocessing says, got one for {network.spatial_dims} dimensions and {network.in_channels} channels; "
            "use it from Python"
        )
    return LoadedNetwork(network.to(chosen), description, names, preprocessing, chosen)


def _for_volumes(weights: str | os.PathLike[str]) -> ValueError:
    """Returns the error that says what takes volumes."""
    return ValueError(
        f"{os.fspath(weights)}: expected a network for images of {CHANNELS} channels, got one for volumes: "
        "`medmamba predict`, `medmamba embed` and the bundle that trained it take it"
    )


def check_description(
    path: str | os.PathLike[str], description: Mapping[str, Any]
) -> tuple[tuple[str, ...], Preprocessing]:
    """Returns class names and preprocessing of pictures; raises ValueError naming the file and the cure."""
    names, preprocessing = read_description(path, description)
    if not isinstance(preprocessing, Preprocessing):
        raise _for_volumes(path)
    return names, preprocessing


def read_description(
    path: str | os.PathLike[str], description: Mapping[str, Any]
) -> tuple[tuple[str, ...], Preprocessing | VolumePreprocessing]:
    """Returns class names and preprocessing; raises ValueError naming the file and the cure where one is missing."""
    names = description.get("class_names")
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"{os.fspath(path)}: expected the class names in the file, got {json.dumps(names)}; "
            "write it with save_weights, or convert published weights again with `medmamba convert --class-names`"
        )
    told = description.get("preprocessing") or {}
    kind = VolumePreprocessing if "volume_size" in told else Preprocessing
    try:
        return tuple(names), kind.from_description(told)
    except ValueError as error:
        raise ValueError(
            f"{os.fspath(path)}: {error}; the file must say what images go through. Write it with save_weights, or "
            "convert published weights again with `medmamba convert --image-size --mean --std`"
        ) from error


def temperature_of(path: str | os.PathLike[str], description: Mapping[str, Any]) -> float:
    """Returns the temperature in a description, 1 where it has none; raises ValueError where it is no such number."""
    calibration = description.get("calibration") or {}
    value = calibration.get("temperature", 1.0) if isinstance(calibration, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(
            f"{os.fspath(path)}: expected a temperature above 0 in its calibration, got {json.dumps(calibration)}; "
            "fit it again with `medmamba calibrate`"
        )
    return float(value)


def has_several_labels(path: str | os.PathLike[str], description: Mapping[str, Any]) -> bool:
    """Returns whether an image may have several labels; older files do not say, and mean one."""
    value = description.get("several_labels", False)
    if not isinstance(value, bool):
        raise ValueError(f"{os.fspath(path)}: expected several_labels true or false, got {json.dumps(value)}")
    return value


def choose_device(name: str) -> torch.device:
    """Returns the device that a name stands for; raises ValueError where there is none."""
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"expected device auto, cpu or cuda, got {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device cuda: PyTorch sees no CUDA device here; use --device cpu, or see `medmamba info` and the driver"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
