"""What a bundle's JSON calls to join data, networks and handlers; and the overlays that change any bundle."""

from .dataset import list_images, prepare_data
from .overlay import Overlay, find_overlay, list_overlays
from .trained import describe_trained
from .volumes import list_volumes, prepare_volumes

__all__ = [
    "Overlay",
    "describe_trained",
    "find_overlay",
    "list_images",
    "list_overlays",
    "list_volumes",
    "prepare_data",
    "prepare_volumes",
]
