"""The methods by name."""

from __future__ import annotations

from torch import Tensor

from ..networks import MedMamba
from .activation_maps import HiResCAM, activation_map
from .occlusion import occlusion_map
from .scan_attribution import attribute_scans

__all__ = ["METHODS", "importance_map"]

METHODS = ("occlusion", "gradcam", "hirescam", "scan")
"""In the order of the help; the first, which was right on every network that was tried, is the default."""


def importance_map(
    network: MedMamba, x: Tensor, class_index: int, method: str = METHODS[0], *, stage: int | None = None
) -> Tensor:
    """Returns how much each pixel counts for a class, by the method of a name.

    Args:
        network: Is used in evaluation mode, and left as it is.
        x: Images, (B, in_channels, *space).
        class_index: The class to explain.
        method: ``"scan"``, ``"gradcam"``, ``"hirescam"`` or ``"occlusion"``.
        stage: For ``scan`` the stage whose scans are followed, otherwise the first; for the activation maps the stage
            whose map is taken, otherwise the last (the last but one for ``hirescam``, which equals ``gradcam`` on the
            last).

    Returns:
        Maps at the size of the images, (B, *space); what is negative speaks against the class.

    Raises:
        ValueError: There is no such method or stage, or ``occlusion`` was given one.

    Example:
        >>> net = MedMamba(num_classes=2, depths=(1, 1), dims=(8, 16))
        >>> import torch
        >>> importance_map(net, torch.randn(1, 3, 40, 36), 1, "hirescam").shape
        torch.Size([1, 40, 36])
    """
    number = len(network.depths)
    if method not in METHODS:
        raise ValueError(f"expected one of the methods {', '.join(METHODS)}, got {method!r}")
    if stage is not None and not -number <= stage < number:
        raise ValueError(f"expected a stage from 0 to {number - 1}, got {stage}")
    if method == "scan":
        return attribute_scans(network, x, class_index, stages=[stage or 0]).total
    if method == "gradcam":
        return activation_map(network, x, class_index, stage=-1 if stage is None else stage)
    if method == "hirescam":
        chosen = max(number - 2, 0) if stage is None else stage
        return activation_map(network, x, class_index, stage=chosen, kind=HiResCAM)
    if stage is not None:
        raise ValueError("occlusion looks at no stage: leave it out")
    return occlusion_map(network, x, class_index)
