import pytest
import torch

from monai_medmamba.ops import depthwise_convolution
from monai_medmamba.ops.depthwise_convolution import api
from testing.map_operators import assert_runs_in_a_graph_and_compiles

SPACES = [(5, 7), (3, 4, 5)]


def call(space, channels=6, dtype=torch.float64, device="cpu"):
    """Return a map, a weight and a bias that want gradients."""
    shapes = ((2, *space, channels), (channels, 1, *[3] * len(space)), (channels,))
    return [torch.randn(shape, dtype=dtype, device=device, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_gradcheck(space):
    assert torch.autograd.gradcheck(depthwise_convolution, call(space))


def test_without_images():
    x, weight, bias = (tensor.detach() for tensor in call((3, 3)))
    assert depthwise_convolution(x[:0], weight, bias).shape == (0, 3, 3, 6)


@pytest.mark.parametrize("wrong", [(4, 1, 3, 3), (6, 1, 5, 5), (6, 1, 3, 3, 3), (6, 2, 3, 3)], ids=str)
def test_a_wrong_weight_is_named(wrong):
    with pytest.raises(ValueError, match=r"got .*\(6,\)"):
        depthwise_convolution(torch.zeros(1, 4, 4, 6), torch.zeros(wrong), torch.zeros(6))


def test_the_result_keeps_the_dtype_of_the_map():
    x, weight, bias = call((4, 4), dtype=torch.float32)
    assert depthwise_convolution(x.bfloat16(), weight, bias).dtype == torch.bfloat16


@pytest.mark.gpu
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_kernels_pass_their_check(space):
    tensors = call(space, device="cuda")
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        calls = api._examples(tensors[0], tensors[1])
        assert not api._operator._compare(torch.device("cuda", 0), dtype, calls), dtype
    assert torch.autograd.gradcheck(depthwise_convolution, tensors)


@pytest.mark.gpu
def test_runs_in_a_cuda_graph_and_compiles():
    x, weight, bias = (tensor.detach() for tensor in call((5, 6, 7), 32, torch.bfloat16, "cuda"))
    assert_runs_in_a_graph_and_compiles(depthwise_convolution, x, weight, bias)
