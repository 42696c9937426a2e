import pytest
import torch

from monai_medmamba.ops import layer_norm
from monai_medmamba.ops.layer_norm import api
from testing.map_operators import assert_runs_in_a_graph_and_compiles


def call(channels=6, dtype=torch.float64, device="cpu"):
    """Return a map, a weight and a bias that want gradients."""
    shapes = ((2, 3, 5, channels), (channels,), (channels,))
    return [torch.randn(shape, dtype=dtype, device=device, requires_grad=True) for shape in shapes]


def test_gradcheck():
    assert torch.autograd.gradcheck(layer_norm, call())


@pytest.mark.parametrize("shapes", [((), (6,), (6,)), ((2, 5), (6,), (6,)), ((2, 6), (6,), (5,))], ids=str)
def test_a_wrong_shape_is_named(shapes):
    with pytest.raises(ValueError, match=r"expected x .* got \("):
        layer_norm(*map(torch.zeros, shapes))


def test_the_result_keeps_the_dtype_of_the_map():
    x, weight, bias = call(dtype=torch.float32)
    assert layer_norm(x.bfloat16(), weight, bias).dtype == torch.bfloat16


@pytest.mark.gpu
@pytest.mark.parametrize("channels", [6, 48, 768])
def test_the_kernels_pass_their_check(channels):
    tensors = call(channels, device="cuda")
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        calls = api._examples(tensors[0], tensors[1])
        assert not api._operator._compare(torch.device("cuda", 0), dtype, calls), dtype
    if channels == 6:
        assert torch.autograd.gradcheck(layer_norm, tensors)


@pytest.mark.gpu
def test_runs_in_a_cuda_graph_and_compiles():
    x, weight, bias = (tensor.detach() for tensor in call(32, torch.bfloat16, "cuda"))
    assert_runs_in_a_graph_and_compiles(layer_norm, x, weight, bias)
