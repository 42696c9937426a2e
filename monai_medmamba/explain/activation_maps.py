"""Grad-CAM and HiResCAM on the stages of MedMamba, through MONAI's ``GradCAM``."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from monai.visualize.class_activation_maps import GradCAM, ModelWithHooks
from torch import Tensor

from ..networks import MedMamba

__all__ = ["HiResCAM", "activation_map"]


class _ChannelsFirst(ModelWithHooks):
    """Hands on the blocks' maps as MONAI wants them: MedMamba's are channels last."""

    def forward_hook(self, name: str) -> Callable[..., None]:
        def note(_module: Any, _inputs: Any, output: Tensor) -> None:
            self.activations[name] = output.movedim(-1, 1)

        return note

    def backward_hook(self, name: str) -> Callable[..., None]:
        def note(_module: Any, _grad_inputs: Any, grad_outputs: tuple[Tensor, ...]) -> None:
            self.gradients[name] = grad_outputs[0].movedim(-1, 1).contiguous()

        return note


class HiResCAM(GradCAM):
    """A class activation map that multiplies gradient and activation at each position before it adds up the channels.

    Grad-CAM averages the gradient over the positions first, and so may show what the class score did not use.

    Source: Draelos and Carin (arXiv 2011.08891), equation 4, with the negative part cut off as in Grad-CAM. On the
    last stage both agree: behind the mean over positions the gradient is the same everywhere.

    Args:
        nn_module: The network, or MONAI's wrapper of it.
        target_layers: Name of the module whose map is taken.
        upsampler: Brings the map to the size of the image.
        postprocessing: Is applied last.
        register_backward: Must stay set.

    Example:
        >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        >>> HiResCAM(net, "0").compute_map(torch.randn(1, 3, 5, 7)).shape
        torch.Size([1, 1, 5, 7])
    """

    def compute_map(  # type: ignore[override]
        self,
        x: Tensor,
        class_idx: Any = None,
        retain_graph: bool = False,
        layer_idx: int = -1,
        **kwargs: Any,
    ) -> Tensor:
        """Returns the map at the size of the layer, (B, 1, *space), not negative."""
        _logits, activations, grads = self.nn_module(x, class_idx=class_idx, retain_graph=retain_graph, **kwargs)
        return F.relu((grads[layer_idx] * activations[layer_idx]).sum(1, keepdim=True))


def activation_map(
    network: MedMamba, x: Tensor, class_index: int, *, stage: int = -1, kind: type[GradCAM] = GradCAM
) -> Tensor:
    """Returns a class activation map of the last block of a stage, at the size of the images.

    Args:
        network: Is left as it is.
        x: Images, (B, in_channels, *space).
        class_index: The class to explain.
        stage: Whose map is taken; -1 for the last.
        kind: MONAI's ``GradCAM`` or a class like it, such as ``HiResCAM``.

    Returns:
        (B, *space), not negative, zero where nothing speaks for the class.

    Example:
        >>> net = MedMamba(num_classes=2, depths=(1, 1), dims=(8, 16))
        >>> activation_map(net, torch.randn(1, 3, 40, 36), 1).shape
        torch.Size([1, 40, 36])
    """
    index = range(len(network.stages))[stage]
    layer = f"stages.{index}.blocks.{network.depths[index] - 1}"
    clean = copy.deepcopy(network).eval().requires_grad_()  # MONAI's hooks stay, and gradients gather
    hooked: Any = _ChannelsFirst(clean, layer, register_forward=True, register_backward=True)
    with torch.enable_grad():
        small = kind(hooked, layer).compute_map(x, class_idx=class_index).detach()
    return resized(small, x.shape[2:])[:, 0]


def resized(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Returns maps (B, C, *space) at another size, smoothly."""
    return F.interpolate(maps, size, mode="bilinear" if len(size) == 2 else "trilinear", align_corners=False)
