"""The mathematics: operations, each with one signature, one reference and several backends."""

from .backend import Backend, BackendError
from .cross_selective_scan import BACKENDS, cross_selective_scan, scan_orders
from .depthwise_convolution import depthwise_convolution
from .layer_norm import LAYER_NORM_EPSILON, layer_norm

__all__ = [
    "BACKENDS",
    "LAYER_NORM_EPSILON",
    "Backend",
    "BackendError",
    "cross_selective_scan",
    "depthwise_convolution",
    "layer_norm",
    "scan_orders",
]
