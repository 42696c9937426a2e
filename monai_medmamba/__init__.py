"""MedMamba for MONAI: a network for medical image classification that joins convolutions and selective scans.

Importing this package makes its networks known to MONAI: a bundle with ``"imports": ["$import monai_medmamba"]`` may
name ``"_target_": "MedMamba"`` or one of the sizes without a module path.
"""

from . import networks, ops
from .networks import MedMamba, create_medmamba, medmamba_base, medmamba_nano, medmamba_small, medmamba_tiny
from .version import __version__

__all__ = [
    "MedMamba",
    "__version__",
    "create_medmamba",
    "medmamba_base",
    "medmamba_nano",
    "medmamba_small",
    "medmamba_tiny",
    "networks",
    "ops",
]
