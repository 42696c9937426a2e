"""Gradients over processes, eager and from CUDA graphs."""

import warnings

import pytest
import torch
from torch import nn

from monai_medmamba.distributed import join_batchnorm, join_gradients
from monai_medmamba.networks import GraphedTraining, MedMamba
from testing.processes import in_processes


def _mean_gradient(rank):
    torch.manual_seed(0)
    network = nn.Linear(3, 1, bias=False)
    wrapped = join_gradients(network, torch.device("cpu"))
    wrapped(torch.full((1, 3), float(rank))).sum().backward()
    return network.weight.grad.tolist()


def test_the_gradient_is_the_mean_over_processes():
    assert in_processes(2, _mean_gradient) == [[[0.5, 0.5, 0.5]]] * 2


def _told(rank):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        join_gradients(nn.Linear(3, 1), torch.device("cpu"))
        warnings.warn("Grad strides do not match bucket view strides. This may indicate ...", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    return [str(warning.message) for warning in told]


def test_warnings_that_are_of_no_concern_are_silent():
    """One that torch gives for a name that we have to use, and what a GPU's graphs make it say of depthwise weights."""
    assert in_processes(2, _told) == [["something else"]] * 2


@pytest.mark.gpu
@pytest.mark.parametrize("amp", [False, True])
def test_graphs_can_be_recorded_inside(amp, tmp_path):
    """The bundle's order on a GPU, batch normalisation joined: graphs within, gradients joined around them."""
    device = torch.device("cuda", 0)
    torch.cuda.set_device(device)
    torch.distributed.init_process_group(
        "nccl", init_method=f"file://{tmp_path}/store", rank=0, world_size=1, device_id=device
    )
    x, ended = torch.randn(4, 3, 64, 64, device=device), []
    try:
        for joined in (False, True):
            torch.manual_seed(0)
            network = MedMamba(num_classes=3, depths=(1, 1), dims=(16, 32), drop_path_rate=0.0)
            run: nn.Module = network.to(device).train()
            if joined:
                run = join_gradients(GraphedTraining(join_batchnorm(network, device)), device)
            optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
            for _ in range(3):  # the first records, the others replay
                optimizer.zero_grad()
                with torch.autocast("cuda", torch.bfloat16, enabled=amp):
                    loss = run(x).float().square().mean()
                loss.backward()
                optimizer.step()
            ended.append([tensor.clone() for tensor in network.state_dict().values()])
    finally:
        torch.distributed.destroy_process_group()
    for found, expected in zip(*reversed(ended), strict=True):
        torch.testing.assert_close(found, expected, rtol=2e-2 if amp else 1e-3, atol=1e-3 if amp else 1e-4)
