"""What a bundle's JSON calls to join data, networks and handlers."""

from .dataset import list_images, prepare_data
from .trained import describe_trained
from .volumes import list_volumes, prepare_volumes

__all__ = ["describe_trained", "list_images", "list_volumes", "prepare_data", "prepare_volumes"]
