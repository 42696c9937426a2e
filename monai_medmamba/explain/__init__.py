"""Why a trained network says what it says of an image: maps of what counts, and how far they can be believed.

The attribution of its own takes the selective scans apart into their implicit attention, direction by direction.
Grad-CAM, HiResCAM and occlusion come through MONAI. Deletion and insertion tell which map points at the pixels that the
network goes by.
"""

from .activation_maps import HiResCAM, activation_map
from .explain_pictures import Explanation, explain_pictures
from .faithfulness import Curves, deletion_and_insertion
from .figures import directions_figure, overlay_figure
from .methods import METHODS, importance_map
from .occlusion import occlusion_map
from .overlay_picture import OverlayPainter, load_painter
from .scan_attribution import ScanAttribution, attribute_scans
from .scan_record import ScanCall, ScanRecord
from .scan_shares import ScanShares, scan_shares

__all__ = [
    "METHODS",
    "Curves",
    "Explanation",
    "HiResCAM",
    "OverlayPainter",
    "ScanAttribution",
    "ScanCall",
    "ScanRecord",
    "ScanShares",
    "activation_map",
    "attribute_scans",
    "deletion_and_insertion",
    "directions_figure",
    "explain_pictures",
    "importance_map",
    "load_painter",
    "occlusion_map",
    "overlay_figure",
    "scan_shares",
]
