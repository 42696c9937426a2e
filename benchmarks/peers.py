"""The networks that MedMamba is measured against, from timm."""

import torch
from torch import nn

NAMES = {"resnet50": "resnet50", "convnext_tiny": "convnext_tiny", "swin_tiny": "swin_tiny_patch4_window7_224"}


def peer(name: str, num_classes: int, size: int, device: torch.device) -> nn.Module:
    """Return a peer, randomly initialised, in channels-last layout."""
    try:
        import timm
    except ImportError as error:
        raise RuntimeError(f"peers come from timm: pip install timm ({error})") from error
    sizes = {"img_size": size} if name.startswith("swin") else {}
    network = timm.create_model(NAMES[name], pretrained=False, num_classes=num_classes, **sizes)
    return network.to(device, memory_format=torch.channels_last)
