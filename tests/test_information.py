import torch

from monai_medmamba.information import backend_states
from monai_medmamba.ops import BACKENDS


def test_states_of_the_cpu():
    states = backend_states(torch.device("cpu"))
    assert list(states) == [backend.name for backend in BACKENDS]
    assert states["chunked"] == states["reference"] == []
    assert any("CUDA" in reason for reason in states["mamba_ssm"])
