"""Embedded data sets: cartoons of endoscopy, of the chest as volumes, and of any classes in published layouts.

The first comes in the folder layout of the eight-class Kvasir set, the second with a nodule in the lung. They are
drawn, not photographed: for trying the software out, never for a claim about it. Colour alone does not tell the classes
apart; shape and texture do.
"""

from monai_medmamba.data.phantoms.chest_store import chest_phantoms, draw_nodule
from monai_medmamba.data.phantoms.findings import FINDINGS
from monai_medmamba.data.phantoms.layouts import layout_phantoms
from monai_medmamba.data.phantoms.nodules import NODULES
from monai_medmamba.data.phantoms.store import draw_phantom, endoscopy_phantoms

__all__ = [
    "FINDINGS",
    "NODULES",
    "chest_phantoms",
    "draw_nodule",
    "draw_phantom",
    "endoscopy_phantoms",
    "layout_phantoms",
]
