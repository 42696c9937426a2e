"""Training with the images of several hospitals that stay where they are: a client for engines, and a rehearsal.

The client is MONAI's, so NVIDIA FLARE drives it over the network; the rehearsal runs all hospitals on one machine.
"""

from .averaging import federated_average
from .comparison import compare_trainings
from .exchange_guard import ExchangeGuard
from .flare_job import write_flare_job
from .hospital import HospitalAlgo
from .parting import part_hospitals
from .rehearsal import Rehearsal, rehearse

__all__ = [
    "ExchangeGuard",
    "HospitalAlgo",
    "Rehearsal",
    "compare_trainings",
    "federated_average",
    "part_hospitals",
    "rehearse",
    "write_flare_job",
]
