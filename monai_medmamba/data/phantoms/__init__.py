"""Embedded data sets: cartoons of endoscopy as in the eight-class Kvasir set, and of any classes in other layouts.

They are drawn, not photographed: for trying the software out, never for a claim about it. Colour alone does not tell
the classes apart; shape and texture do.
"""

from monai_medmamba.data.phantoms.findings import FINDINGS
from monai_medmamba.data.phantoms.layouts import layout_phantoms
from monai_medmamba.data.phantoms.store import draw_phantom, endoscopy_phantoms

__all__ = ["FINDINGS", "draw_phantom", "endoscopy_phantoms", "layout_phantoms"]
