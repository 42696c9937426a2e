"""The embedded data set: cartoons of endoscopy in the folder layout of the eight-class Kvasir set.

They are drawn, not photographed: for trying the software out, never for a claim about it. Colour alone does not tell
the classes apart; shape and texture do.
"""

from monai_medmamba.data.phantoms.findings import FINDINGS
from monai_medmamba.data.phantoms.store import draw_phantom, endoscopy_phantoms

__all__ = ["FINDINGS", "draw_phantom", "endoscopy_phantoms"]
