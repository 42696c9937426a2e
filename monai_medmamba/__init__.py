"""MedMamba for MONAI: a network for medical image classification that joins convolutions and selective scans."""

from . import ops
from .version import __version__

__all__ = ["__version__", "ops"]
