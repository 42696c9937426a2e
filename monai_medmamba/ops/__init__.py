"""The mathematics: operations, each with one signature, one reference and several backends."""

from .backend import Backend, BackendError
from .cross_selective_scan import BACKENDS, cross_selective_scan, scan_orders
from .depthwise_convolution import depthwise_convolution

__all__ = ["BACKENDS", "Backend", "BackendError", "cross_selective_scan", "depthwise_convolution", "scan_orders"]
