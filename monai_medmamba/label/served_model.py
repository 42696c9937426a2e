"""A bundle with the weights that it has at the moment: predictions, features, maps; new weights while it runs."""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..explain import METHODS, importance_map
from ..inference import Preprocessing
from ..inference.classifier import (
    CHANNELS,
    check_description,
    choose_device,
    has_several_labels,
    read_weights,
    temperature_of,
)
from ..networks import MedMamba, PooledFeatures, save_weights
from .label_bundle import LabelBundle
from .request_error import RequestError

__all__ = ["LoadedWeights", "Prediction", "ServedModel"]

WEIGHTS = "model.safetensors"
THRESHOLD = 0.5  # above which a label counts as given, where an image may have several

Window = tuple[float, float]


@dataclass(frozen=True, eq=False)
class LoadedWeights:
    """Weights on their device, and what they say of themselves."""

    path: Path
    stamp: tuple[str, int, int]
    network: MedMamba
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    several_labels: bool
    temperature: float
    calibrated: bool
    device: torch.device

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Returns calibrated probabilities of logits (n, C)."""
        scaled = logits / self.temperature
        return scaled.sigmoid() if self.several_labels else scaled.softmax(dim=1)


@dataclass(frozen=True)
class Prediction:
    """What the network says of one picture.

    Args:
        labels: The most probable class; where an image may have several, all of at least one half.
        scores: The network's outputs before calibration, by class name.
        probabilities: Calibrated, by class name.
        calibrated: Whether a temperature was fitted.

    Example:
        >>> Prediction(("a",), {"a": 2.0, "b": 0.0}, {"a": 0.88, "b": 0.12}, False).labels
        ('a',)
    """

    labels: tuple[str, ...]
    scores: dict[str, float]
    probabilities: dict[str, float]
    calibrated: bool


class ServedModel:
    """A model that the server offers.

    Weights that were trained or uploaded here lie in ``folder`` and go before those of the bundle, which are never
    written to. A file that changes is loaded again at the next request.

    Args:
        bundle: What it is of.
        folder: For weights and trainings.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.

    Example:
        >>> bundle = LabelBundle("b", Path("no/such"), ("x", "y"), "")
        >>> ServedModel(bundle, "no/such/model").class_names
        ('x', 'y')
    """

    def __init__(self, bundle: LabelBundle, folder: str | os.PathLike[str], device: str = "auto") -> None:
        self.bundle, self.folder, self.device = bundle, Path(folder), device
        self._lock = threading.Lock()
        self._loaded: LoadedWeights | None = None
        self._kept: dict[str, dict[tuple[str, int, int], NDArray[np.float32]]] = {}

    @property
    def name(self) -> str:
        """What clients call it."""
        return self.bundle.name

    @property
    def weights(self) -> Path | None:
        """The file in use; None where there is none yet."""
        own = self.folder / WEIGHTS
        return own if own.is_file() else self.bundle.weights()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Those of the weights, or else of the bundle."""
        return self.load().class_names if self.weights else self.bundle.class_names

    @property
    def several_labels(self) -> bool:
        """Whether an image may have several labels."""
        return self.load().several_labels if self.weights else self.bundle.several_labels

    def load(self) -> LoadedWeights:
        """Returns the weights in use.

        Raises:
            RequestError: There are none yet, or the file cannot be used.
        """
        path = self.weights
        if path is None:
            raise RequestError(
                409, f"{self.name} has no weights yet: label some images and train, or put {WEIGHTS} in {self.folder}"
            )
        with self._lock:
            stamp = _stamp(path)
            if self._loaded is None or self._loaded.stamp != stamp:
                self._loaded = read_served_weights(path, self.device)
                self._kept = {}
            return self._loaded

    def predict(self, path: str | os.PathLike[str], window: Window | None = None) -> Prediction:
        """Classifies a picture.

        Args:
            path: The file.
            window: Centre and width, for grey DICOM files.

        Returns:
            Scores and calibrated probabilities.

        Raises:
            RequestError: There are no weights.
            ImageReadError: The file is no picture that can be used.
        """
        loaded = self.load()
        logits = _logits(loaded, loaded.preprocessing.read(path, window)[None])
        if not torch.isfinite(logits).all():
            raise RuntimeError(f"{loaded.path}: the outputs are not finite numbers; use other weights")
        probabilities = loaded.probabilities(logits)[0]
        names = loaded.class_names
        if loaded.several_labels:
            labels = tuple(name for name, p in zip(names, probabilities.tolist(), strict=True) if p >= THRESHOLD)
        else:
            labels = (names[int(probabilities.argmax())],)
        return Prediction(
            labels,
            dict(zip(names, logits[0].tolist(), strict=True)),
            dict(zip(names, probabilities.tolist(), strict=True)),
            loaded.calibrated,
        )

    def explain(
        self,
        path: str | os.PathLike[str],
        class_name: str | None = None,
        method: str = "gradcam",
        window: Window | None = None,
    ) -> tuple[str, NDArray[np.float32]]:
        """Maps what counts in a picture for a class.

        Args:
            path: The file.
            class_name: The class; None for the most probable.
            method: See ``explain.importance_map``.
            window: As for ``predict``.

        Returns:
            The class, and the map at the network's size, (H, W), in [0, 1]: what speaks for the class.

        Raises:
            RequestError: There are no weights, or no such class or method.
            ImageReadError: The file is no picture that can be used.
        """
        loaded = self.load()
        if method not in METHODS:
            raise RequestError(422, f"expected one of the methods {', '.join(METHODS)}, got {method!r}")
        if class_name is not None and class_name not in loaded.class_names:
            raise RequestError(422, f"expected one of {', '.join(loaded.class_names)}, got {class_name!r}")
        x = loaded.preprocessing.read(path, window)[None]
        name = class_name or loaded.class_names[int(_logits(loaded, x).argmax())]
        heat = importance_map(loaded.network, x.to(loaded.device), loaded.class_names.index(name), method)
        positive = heat[0].clamp_min(0).float().cpu().numpy()
        return name, (positive / max(float(positive.max()), 1e-12)).astype(np.float32)

    def table(self, paths: Sequence[str], kind: str, stop: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """Returns probabilities or features of pictures, from memory where the weights have seen them before.

        Args:
            paths: The files; those that cannot be read are left out.
            kind: ``"probabilities"`` or ``"features"``.
            stop: Is asked before each picture.

        Returns:
            A vector for each path, float32.

        Raises:
            RequestError: There are no weights.
        """
        loaded = self.load()
        network = PooledFeatures(loaded.network) if kind == "features" else loaded.network
        kept = self._kept.setdefault(kind, {})
        found = {}
        for path in paths:
            if stop():
                break
            try:
                stamp = _stamp(Path(path))
                if stamp not in kept:
                    with torch.inference_mode():
                        row = network(loaded.preprocessing.read(path)[None].to(loaded.device)).float().cpu()
                    kept[stamp] = (loaded.probabilities(row) if kind == "probabilities" else row)[0].numpy()
                found[path] = kept[stamp]
            except (OSError, ValueError):
                continue
        return found

    def is_kept(self, path: str, kind: str) -> bool:
        """Returns whether ``table`` has a picture in memory."""
        try:
            return _stamp(Path(path)) in self._kept.get(kind, {})
        except OSError:
            return False

    def publish(self, path: str | os.PathLike[str], *, trust_calibration: bool = True) -> None:
        """Takes weights into use, once they are known to load and to have the classes of this model.

        Args:
            path: Of ``.safetensors`` or ``.pt`` weights.
            trust_calibration: Whether the temperature in them is kept.

        Raises:
            RequestError: They cannot be used, or are of other classes.
        """
        new = read_served_weights(Path(path), "cpu")
        if new.class_names != self.class_names:
            raise RequestError(
                422,
                f"{self.name}: expected weights of the classes {', '.join(self.class_names)}, "
                f"got some of {', '.join(new.class_names)}",
            )
        calibration = {"temperature": new.temperature} if new.calibrated and trust_calibration else None
        kept = (new.class_names, new.preprocessing.describe(), calibration, new.several_labels)
        save_weights(self.folder / WEIGHTS, new.network, *kept)

    def set_aside(self) -> Path:
        """Renames the weights that were trained or uploaded here, so that the bundle's own count again.

        Returns:
            Where they are now.

        Raises:
            RequestError: There are none.
        """
        own = self.folder / WEIGHTS
        if not own.is_file():
            raise RequestError(404, f"{self.name} has no weights of its own to set aside; the bundle's are not touched")
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S-%f")
        return own.rename(own.with_name(f"{own.name}.{now}.deleted"))


def read_served_weights(path: Path, device: str) -> LoadedWeights:
    """Loads weights for pictures; raises RequestError where they cannot be used."""
    try:
        stamp = _stamp(path)
        chosen = choose_device(device)
        network, description = read_weights(path)
        names, preprocessing = check_description(path, description)
        several, temperature = has_several_labels(path, description), temperature_of(path, description)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(422, f"these weights cannot be used: {error}") from error
    if (network.spatial_dims, network.in_channels, network.num_classes) != (2, CHANNELS, len(names)):
        raise RequestError(
            422,
            f"{path}: expected a network for pictures of {CHANNELS} channels with {len(names)} outputs, got "
            f"{network.spatial_dims} dimensions, {network.in_channels} channels, {network.num_classes} outputs",
        )
    calibrated = bool(description.get("calibration"))
    return LoadedWeights(
        path, stamp, network.to(chosen), names, preprocessing, several, temperature, calibrated, chosen
    )


def _logits(loaded: LoadedWeights, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return loaded.network(x.to(loaded.device)).float().cpu()


def _stamp(path: Path) -> tuple[str, int, int]:
    state = path.stat()
    return os.fspath(path), state.st_mtime_ns, state.st_size
