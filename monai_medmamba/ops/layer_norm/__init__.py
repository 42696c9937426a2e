"""The normalisation of each position's channels."""

from .api import layer_norm
from .torch_norm import LAYER_NORM_EPSILON

__all__ = ["LAYER_NORM_EPSILON", "layer_norm"]
