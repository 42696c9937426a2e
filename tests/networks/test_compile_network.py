import pytest
import torch

from monai_medmamba.networks import MedMamba, compile_network


@pytest.mark.parametrize(
    ("device", "backend"), [("cpu", "chunked"), pytest.param("cuda", "cuda", marks=pytest.mark.gpu)]
)
def test_compiles(device, backend):
    """Values, and gradients through what is computed again backward; a small network, whose code is quick to build."""
    torch.manual_seed(0)
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=4, drop_path_rate=0.0, backend=backend)
    network.to(device).train()
    x = torch.randn(2, 3, 32, 32).to(device)
    compiled = compile_network(network)
    results = []
    for run in (network, compiled):
        network.zero_grad()
        y = run(x)
        y.square().sum().backward()
        results.append([y.detach(), *(parameter.grad.clone() for parameter in network.parameters())])
    for found, expected in zip(*reversed(results), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
