"""The networks: MedMamba, its sizes, its weights, and MedMamba as an encoder."""

from .baseline import BASELINES, create_baseline
from .compile_network import compile_network
from .encoder import MedMambaEncoder, PooledFeatures
from .graphed_training import GraphedTraining
from .inflate import inflate
from .medmamba import MedMamba
from .param_groups import param_groups
from .probability_ensemble import ProbabilityEnsemble
from .sizes import VARIANTS, create_medmamba, medmamba_base, medmamba_nano, medmamba_small, medmamba_tiny
from .upstream import from_published, load_published, published_sizes, to_published
from .weights import load_weights, save_weights

__all__ = [
    "BASELINES",
    "VARIANTS",
    "GraphedTraining",
    "MedMamba",
    "MedMambaEncoder",
    "PooledFeatures",
    "ProbabilityEnsemble",
    "compile_network",
    "create_baseline",
    "create_medmamba",
    "from_published",
    "inflate",
    "load_published",
    "load_weights",
    "medmamba_base",
    "medmamba_nano",
    "medmamba_small",
    "medmamba_tiny",
    "param_groups",
    "published_sizes",
    "save_weights",
    "to_published",
]
