"""Several processes that train as one: they share each batch, and join its loss, statistics and gradients."""

from .joined_batchnorm import JoinedBatchNorm, join_batchnorm
from .joined_gradients import join_gradients
from .joined_loss import JoinedLoss
from .processes import enter_processes, leave_processes, process_count, process_device, process_rank
from .same_start import SameStart
from .shared_batches import SharedBatchLoader
from .shared_inferer import SharedInferer
from .statistics_average import StatisticsAverage

__all__ = [
    "JoinedBatchNorm",
    "JoinedLoss",
    "SameStart",
    "SharedBatchLoader",
    "SharedInferer",
    "StatisticsAverage",
    "enter_processes",
    "join_batchnorm",
    "join_gradients",
    "leave_processes",
    "process_count",
    "process_device",
    "process_rank",
]
