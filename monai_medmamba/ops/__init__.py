"""The mathematics: operations, each with one signature, one reference and several backends."""

from .backend import Backend, BackendError
from .cross_selective_scan import BACKENDS, cross_selective_scan, scan_orders

__all__ = ["BACKENDS", "Backend", "BackendError", "cross_selective_scan", "scan_orders"]
