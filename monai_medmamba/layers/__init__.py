"""The layers of MedMamba, for images (2-D) and volumes (3-D), all channels last."""

from .patch_embed import PatchStem
from .patch_merging import PatchDownsample
from .ss_conv_ssm import SSConvSSM
from .ss_nd import SS2D, SS3D

__all__ = ["SS2D", "SS3D", "PatchDownsample", "PatchStem", "SSConvSSM"]
