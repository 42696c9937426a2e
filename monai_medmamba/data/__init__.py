"""Data sets: lists of labelled images that were checked before training, and an embedded set to begin with."""

from monai_medmamba.data.build import build_datalist
from monai_medmamba.data.datalist import Datalist, Sample, describe
from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.phantoms import endoscopy_phantoms

__all__ = ["Datalist", "DatasetError", "Sample", "build_datalist", "describe", "endoscopy_phantoms"]
