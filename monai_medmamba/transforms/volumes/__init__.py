"""From a DICOM series, a multi-frame DICOM file or a NIfTI file to a volume whose place in space is known."""

from monai_medmamba.transforms.volumes.dicom_volume import read_dicom_volume
from monai_medmamba.transforms.volumes.nifti_volume import read_nifti_volume
from monai_medmamba.transforms.volumes.volume import Volume, to_ras

__all__ = ["Volume", "read_dicom_volume", "read_nifti_volume", "to_ras"]
