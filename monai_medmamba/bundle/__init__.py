"""What a bundle's JSON calls to join data, networks and handlers; and the overlays that change any bundle."""

from .cross_validation import BundleCrossValidation
from .dataset import list_images, prepare_data
from .fold_figures import fold_figures, pool_folds
from .overlay import Overlay, find_overlay, list_overlays
from .trained import describe_trained, find_fold_checkpoints
from .volumes import list_volumes, prepare_volumes

__all__ = [
    "BundleCrossValidation",
    "Overlay",
    "describe_trained",
    "find_fold_checkpoints",
    "find_overlay",
    "fold_figures",
    "list_images",
    "list_overlays",
    "list_volumes",
    "pool_folds",
    "prepare_data",
    "prepare_volumes",
]
