"""Data sets: checked lists of labelled images and volumes, embedded sets to begin with, and fast batches."""

from monai_medmamba.data.batch_loader import BatchLoader
from monai_medmamba.data.build import build_datalist
from monai_medmamba.data.build_volumes import build_volume_datalist
from monai_medmamba.data.cached_images import CachedImages
from monai_medmamba.data.datalist import Datalist, Sample, describe
from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.folds import take_fold
from monai_medmamba.data.medmnist3d import unpack_medmnist3d
from monai_medmamba.data.phantoms import chest_phantoms, endoscopy_phantoms, layout_phantoms

__all__ = [
    "BatchLoader",
    "CachedImages",
    "Datalist",
    "DatasetError",
    "Sample",
    "build_datalist",
    "build_volume_datalist",
    "chest_phantoms",
    "describe",
    "endoscopy_phantoms",
    "layout_phantoms",
    "take_fold",
    "unpack_medmnist3d",
]
