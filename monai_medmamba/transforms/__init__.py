"""Transforms that MONAI lacks: one way from an image file to an RGB tensor, for training and for inference.

``LoadRGBd`` stands where a bundle would otherwise have ``LoadImaged``, ``EnsureChannelFirstd`` and a scaling. A reader
for ``LoadImaged`` is not offered: that tries its other readers where ours refuses a file, and sets up a DICOM reader,
with a warning, at each construction.
"""

from monai_medmamba.transforms.decode_rgb import ImageReadError, decode_rgb
from monai_medmamba.transforms.dicom_pixels import decode_dicom, is_dicom
from monai_medmamba.transforms.load_rgb import LoadRGB, LoadRGBd

__all__ = ["ImageReadError", "LoadRGB", "LoadRGBd", "decode_dicom", "decode_rgb", "is_dicom"]
