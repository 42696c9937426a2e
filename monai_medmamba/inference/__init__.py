"""Trained weights on pictures and volumes: find files, classify them in batches, pass over bad ones, write a table.

It is what ``medmamba predict`` does, and gives the probabilities that a bundle's inference gives. The inferers, for
MONAI's trainers and evaluators, classify volumes by windows and by slices.
"""

from .calibrate import calibrate_weights
from .classifier import ImageClassifier, load_classifier
from .embed import Embedding, embed, write_embedding
from .foreign_images import measure_foreign, write_foreign
from .onnx_classifier import load_onnx_classifier
from .out_of_distribution import FeatureDistance, energy, foreign_threshold, separation
from .picture_paths import Failure, find_pictures, find_volumes
from .predict import Outcome, predict
from .preprocessing import Preprocessing
from .results import RESULT_SUFFIXES, write_results
from .slice_inferer import SliceBagInferer
from .volume_preprocessing import VolumePreprocessing
from .window_inferer import WindowInferer

__all__ = [
    "RESULT_SUFFIXES",
    "Embedding",
    "Failure",
    "FeatureDistance",
    "ImageClassifier",
    "Outcome",
    "Preprocessing",
    "SliceBagInferer",
    "VolumePreprocessing",
    "WindowInferer",
    "calibrate_weights",
    "embed",
    "energy",
    "find_pictures",
    "find_volumes",
    "foreign_threshold",
    "load_classifier",
    "load_onnx_classifier",
    "measure_foreign",
    "predict",
    "separation",
    "write_embedding",
    "write_foreign",
    "write_results",
]
