"""An image under a map of what speaks for a class, as pixels rather than as a file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..inference import Preprocessing
from ..inference.classifier import picture_network
from ..networks import MedMamba
from ..transforms import decode_picture
from ..visualize.picture import png
from .explain_pictures import thumbnail
from .figures import overlay_figure
from .methods import METHODS, importance_map

__all__ = ["OverlayPainter", "load_painter"]


@dataclass(frozen=True, eq=False)
class OverlayPainter:
    """Draws the overlay of one method for images and classes.

    Args:
        network: Of one label an image, in evaluation mode.
        class_names: Its classes.
        preprocessing: What an image goes through first.
        device: Where the network is.
        method: See ``importance_map``.

    Example:
        >>> OverlayPainter(MedMamba(num_classes=1), ("a",), Preprocessing(32, (0.5,) * 3, (0.25,) * 3), "cpu").method
        'occlusion'
    """

    network: MedMamba
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    device: torch.device | str
    method: str = METHODS[0]

    def paint(
        self,
        image: str | os.PathLike[str],
        class_name: str,
        title: str,
        window: tuple[float, float] | None = None,
    ) -> NDArray[np.uint8]:
        """Returns an image and, beside it, the same under its map.

        Args:
            image: A picture file.
            class_name: The class to explain.
            title: Line above both.
            window: Centre and width for grey DICOM files, in place of what they carry.

        Returns:
            RGB pixels (H, W, 3); the file's name is not among them.

        Raises:
            ValueError: The network has no such class.
            ImageReadError: The image cannot be read.
        """
        from PIL import Image

        if class_name not in self.class_names:
            raise ValueError(f"expected one of the classes {', '.join(self.class_names)}, got {class_name!r}")
        pixels = decode_picture(image, window)
        x = self.preprocessing.prepare(pixels)[None].to(self.device)
        heat = importance_map(self.network, x, self.class_names.index(class_name), self.method)
        figure = overlay_figure(
            thumbnail(pixels), heat[0].cpu().numpy(), title, f"{self.method} · not for diagnostic use"
        )
        with Image.open(io.BytesIO(png(figure))) as picture:
            return np.asarray(picture.convert("RGB"))


def load_painter(
    weights: str | os.PathLike[str], method: str = METHODS[0], device: str = "auto", backend: str | None = None
) -> OverlayPainter:
    """Returns what draws overlays with trained weights.

    Args:
        weights: ``model.safetensors``, ``model.pt`` or ``last.pt`` of a training, or what ``save_weights`` wrote.
        method: See ``importance_map``.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where there is one.
        backend: Of the scans.

    Returns:
        The painter.

    Raises:
        FileNotFoundError: There is no such file of weights.
        ValueError: The weights cannot be used (see ``load_classifier``) or are for several labels an image; or there
            is no such method.

    Example:
        >>> import tempfile
        >>> from ..networks import medmamba_nano, save_weights
        >>> kept, path = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}, tempfile.mkdtemp() + "/w.safetensors"
        >>> save_weights(path, medmamba_nano(num_classes=2), ["a", "b"], kept)
        >>> load_painter(path, "gradcam", device="cpu").class_names
        ('a', 'b')
    """
    if method not in METHODS:
        raise ValueError(f"expected one of the methods {', '.join(METHODS)}, got {method!r}")
    network, names, preprocessing, chosen = picture_network(weights, device, backend, one_label=True)
    return OverlayPainter(network, names, preprocessing, chosen, method)
