"""Occlusion: how much of the probability goes when a part of the image is hidden, through MONAI."""

from __future__ import annotations

import warnings

import torch
from monai.data import MetaTensor
from monai.visualize import OcclusionSensitivity
from torch import Tensor

from ..networks import MedMamba

__all__ = ["occlusion_map"]

_PARTS = 8  # masks along the shorter edge


def occlusion_map(network: MedMamba, x: Tensor, class_index: int, *, mask_size: int | None = None) -> Tensor:
    """Returns how far the probability of a class falls when the surroundings of each pixel are hidden.

    A square of the image's mean colour slides over the image by half its edge; MONAI's ``OcclusionSensitivity`` does
    the work. Slow: about 4 * 8 * 8 forward passes an image.

    Args:
        network: Is used in evaluation mode.
        x: Images, (B, in_channels, *space).
        class_index: The class to explain.
        mask_size: Edge of the square in pixels; None for an eighth of the image's shorter edge.

    Returns:
        (B, *space), signed: the fall of the probability.

    Raises:
        ValueError: The mask is larger than the image.

    Example:
        >>> net = MedMamba(num_classes=2, depths=(1,), dims=(8,))
        >>> occlusion_map(net, torch.randn(1, 3, 40, 36), 1, mask_size=20).shape
        torch.Size([1, 40, 36])
    """
    edge = max(1, min(x.shape[2:]) // _PARTS) if mask_size is None else mask_size
    occlude = OcclusionSensitivity(network, edge, n_batch=32, verbose=False, mode="mean_img", overlap=0.5)
    training = network.training
    falls = []
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # MONAI 1.6.1's indexing
            clean = network.eval()(x).softmax(1)[:, class_index]
            for image, probability in zip(x, clean, strict=True):
                hidden, _most_probable = occlude(image[None])
                plain = hidden.as_tensor() if isinstance(hidden, MetaTensor) else hidden
                falls.append(probability - plain[0, class_index])
    finally:
        network.train(training)
    return torch.stack(falls).float()
