"""The cross selective scan: one state-space recurrence along every axis of an image or volume, both ways, summed."""

from .api import BACKENDS, cross_selective_scan
from .directions import scan_orders

__all__ = ["BACKENDS", "cross_selective_scan", "scan_orders"]
