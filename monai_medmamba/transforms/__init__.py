"""Transforms that MONAI lacks: one way from an image file to a network's input, for training and for inference.

``LoadRGBd`` stands where a bundle would otherwise have ``LoadImaged``, ``EnsureChannelFirstd`` and a scaling. A reader
for ``LoadImaged`` is not offered: that tries its other readers where ours refuses a file, and sets up a DICOM reader,
with a warning, at each construction. ``LoadVolumed`` does the same for volumes, from DICOM series and NIfTI files.

``QuantizeRGBd`` ends what is done once for an image; ``AugmentBatchd`` and ``NormalizeRGBd`` take whole batches, the
first of volumes too, and ``PrepareOnDevice`` runs them on the GPU.
"""

from monai_medmamba.transforms.augment_batch import AugmentBatch, AugmentBatchd
from monai_medmamba.transforms.augment_volumes import AugmentVolumes
from monai_medmamba.transforms.decode_picture import decode_picture
from monai_medmamba.transforms.decode_rgb import ImageReadError, decode_rgb
from monai_medmamba.transforms.dicom_pixels import decode_dicom, is_dicom
from monai_medmamba.transforms.load_rgb import LoadRGB, LoadRGBd
from monai_medmamba.transforms.load_volume import LoadVolume, LoadVolumed
from monai_medmamba.transforms.normalize_rgb import NormalizeRGB, NormalizeRGBd
from monai_medmamba.transforms.prepare_on_device import PrepareOnDevice
from monai_medmamba.transforms.quantize_rgb import QuantizeRGB, QuantizeRGBd, dequantize_rgb
from monai_medmamba.transforms.volumes import Volume, read_dicom_volume, read_nifti_volume, to_ras

__all__ = [
    "AugmentBatch",
    "AugmentBatchd",
    "AugmentVolumes",
    "ImageReadError",
    "LoadRGB",
    "LoadRGBd",
    "LoadVolume",
    "LoadVolumed",
    "NormalizeRGB",
    "NormalizeRGBd",
    "PrepareOnDevice",
    "QuantizeRGB",
    "QuantizeRGBd",
    "Volume",
    "decode_dicom",
    "decode_picture",
    "decode_rgb",
    "dequantize_rgb",
    "is_dicom",
    "read_dicom_volume",
    "read_nifti_volume",
    "to_ras",
]
