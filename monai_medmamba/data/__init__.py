"""Data sets: checked lists of labelled images, an embedded set to begin with, and batches fast enough for a GPU."""

from monai_medmamba.data.batch_loader import BatchLoader
from monai_medmamba.data.build import build_datalist
from monai_medmamba.data.cached_images import CachedImages
from monai_medmamba.data.datalist import Datalist, Sample, describe
from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.folds import take_fold
from monai_medmamba.data.phantoms import endoscopy_phantoms

__all__ = [
    "BatchLoader",
    "CachedImages",
    "Datalist",
    "DatasetError",
    "Sample",
    "build_datalist",
    "describe",
    "endoscopy_phantoms",
    "take_fold",
]
