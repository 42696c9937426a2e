"""What the tests of operators of a map, a weight and a bias share."""

from collections.abc import Callable
from types import ModuleType

import torch
from torch import Tensor

NAMES = ("y", "x", "weight", "bias")


def results(module: ModuleType, grad_y: Tensor, *call: Tensor) -> dict[str, Tensor]:
    """Return the result and the gradients, by name."""
    return dict(zip(NAMES, (module.forward(*call), *module.backward(grad_y, *call)), strict=True))


def assert_takes_parameters_as_they_are(module: ModuleType, grad_y: Tensor, x: Tensor, *parameters: Tensor) -> None:
    """Fail unless parameters in bfloat16 do what the same in float32 do."""
    low = [tensor.bfloat16() for tensor in parameters]
    found, expected = results(module, grad_y, x, *low), results(module, grad_y, x, *(tensor.float() for tensor in low))
    assert all(torch.equal(found[name], expected[name].to(found[name].dtype)) for name in NAMES)


def assert_repeats(module: ModuleType, *call: Tensor) -> None:
    """Fail unless two runs give the same bits."""
    first, second = results(module, *call), results(module, *call)
    assert all(torch.equal(first[name], second[name]) for name in NAMES)


def assert_runs_in_a_graph_and_compiles(operator: Callable[..., Tensor], *call: Tensor) -> None:
    """Fail unless a CUDA graph and ``torch.compile`` give what a call gives."""
    expected = operator(*call)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = operator(*call)
    y.zero_()
    graph.replay()
    assert torch.equal(y, expected)
    torch._dynamo.reset()
    compiled = torch.compile(lambda *tensors: 2 * operator(*tensors), fullgraph=True)
    torch.testing.assert_close(compiled(*call), 2 * expected)
