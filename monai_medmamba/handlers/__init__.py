"""Handlers: what happens around the epochs of a trainer or evaluator, wired in a bundle's JSON."""

from .checkpoint import TrainingCheckpoint, read_checkpoint
from .classification_figure import ClassificationFigure
from .epoch_seed import EpochSeed
from .evaluation_files import EvaluationFiles
from .finite_loss import FiniteLoss
from .history import TrainingHistory
from .mlflow_report import MLflowReport, log_report
from .progress import Progress
from .run_record import RunRecord
from .tensorboard_pictures import TensorBoardPictures
from .weights_loader import WeightsLoader

__all__ = [
    "ClassificationFigure",
    "EpochSeed",
    "EvaluationFiles",
    "FiniteLoss",
    "MLflowReport",
    "Progress",
    "RunRecord",
    "TensorBoardPictures",
    "TrainingCheckpoint",
    "TrainingHistory",
    "WeightsLoader",
    "log_report",
    "read_checkpoint",
]
