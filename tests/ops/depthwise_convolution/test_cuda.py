from types import SimpleNamespace

import pytest
import torch

from monai_medmamba.ops import nvrtc
from monai_medmamba.ops.depthwise_convolution import cuda, torch_convolution
from testing.emulator import EmulatedProgram, compiled
from testing.map_operators import NAMES, assert_repeats, assert_takes_parameters_as_they_are, results
from testing.scans import rms


def tensors(batch, space, channels, dtype=torch.float64, device="cpu"):
    """Return the gradient of a result, a map, a weight and a bias."""
    generator = torch.Generator().manual_seed(0)
    sizes = ((batch, *space, channels),) * 2 + ((channels, 1, *[3] * len(space)), (channels,))
    real = torch.promote_types(dtype, torch.float32)
    dtypes = (dtype, dtype, real, real)
    drawn = (torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)
    return [tensor.to(device, its) for tensor, its in zip(drawn, dtypes, strict=True)]


def test_names_what_is_missing():
    assert cuda.unsupported(*tensors(1, (2, 2), 4)[1:]) == ["needs CUDA tensors, got cpu"]


@pytest.mark.parametrize(
    ("channels", "lanes", "loaded", "summed"),
    [(32, 16, 4, 2), (96, 16, 4, 2), (64, 32, 4, 2), (128, 32, 4, 2), (6, 8, 2, 2), (7, 8, 1, 1), (1536, 32, 4, 2)],
)
def test_sizes_divide_the_channels(channels, lanes, loaded, summed):
    assert cuda._sizes(channels) == (lanes, loaded, summed)


def test_a_tensor_that_begins_anywhere_is_copied():
    whole = torch.arange(9.0)
    assert cuda._ready(whole).data_ptr() == whole.data_ptr()
    assert cuda._ready(whole[1:]).data_ptr() % 16 == 0
    assert torch.equal(cuda._ready(whole[1:]), whole[1:])


# The kernels themselves and what calls them, run on the CPU thread by thread.
@pytest.mark.parametrize(
    ("batch", "space", "channels", "processors"),
    [
        (2, (5, 7), 8, 132),
        (1, (1, 1), 4, 132),
        (1, (3, 37), 6, 1),
        (2, (3, 5, 9), 20, 1),
        (3, (2, 3, 4), 7, 132),
        (1, (1, 2, 17), 64, 2),
        (2, (4, 6, 3), 70, 1),
    ],
    ids=str,
)
def test_kernels_match_torch_on_the_emulator(batch, space, channels, processors, monkeypatch, tmp_path):
    def program(device, dtype, parameters, spatial_dims, sizes):
        constants = {
            "IO": nvrtc.KINDS[dtype],
            "PARAM_IO": int(parameters == dtype),
            "KZ": 3 if spatial_dims == 3 else 1,
        }
        constants |= {"V": sizes.loaded, "VW": sizes.summed, "LANES": sizes.lanes}
        library = compiled("convolution_emulator.cpp", cuda._SOURCE, constants, tmp_path / "kernels.so")
        return EmulatedProgram(library)

    monkeypatch.setattr(cuda, "_program", program)
    device = SimpleNamespace(multi_processor_count=processors)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: device)
    call = tensors(batch, space, channels)
    found, exact = results(cuda, *call), results(torch_convolution, *call)
    for name, right in exact.items():
        assert found[name].shape == right.shape
        assert rms(found[name] - right) <= 1e-14 * rms(right), name


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize(
    ("batch", "space", "channels"),
    [
        (8, (24, 24, 24), 96),
        (2, (3, 3, 3), 768),
        (1, (48, 47, 50), 32),
        (2, (5, 6, 7), 9),
        (3, (56, 56), 192),
        (64, (7, 7), 100),
        (1, (224, 225), 6),
    ],
    ids=str,
)
def test_matches_float64(batch, space, channels, dtype):
    """No further from the truth than one rounding of each result."""
    call = tensors(batch, space, channels, dtype, "cuda")
    found = results(cuda, *call)
    exact = results(torch_convolution, *(tensor.double().cpu() for tensor in call))
    for name, right in exact.items():
        own = found[name].double().cpu()
        bound = 4 if name in ("y", "x") else 400  # in units of rounding: thousands of products are summed
        assert found[name].dtype == call[{"y": 1, "x": 1, "weight": 2, "bias": 3}[name]].dtype
        assert rms(own - right) <= bound * torch.finfo(found[name].dtype).eps * rms(right), name


@pytest.mark.gpu
def test_parameters_in_the_dtype_of_the_map():
    assert_takes_parameters_as_they_are(cuda, *tensors(2, (9, 8, 7), 48, torch.bfloat16, "cuda"))


@pytest.mark.gpu
def test_gradients_repeat_bit_by_bit():
    call = tensors(8, (24, 24, 24), 96, torch.bfloat16, "cuda")
    assert_repeats(cuda, *call)


@pytest.mark.gpu
def test_a_map_that_begins_anywhere():
    grad_y, x, weight, bias = tensors(1, (4, 5, 6), 8, torch.bfloat16, "cuda")
    shifted = torch.cat([x.flatten()[:1], x.flatten()])[1:].view_as(x)
    assert shifted.data_ptr() % 16
    expected = results(cuda, grad_y, x, weight, bias)
    found = results(cuda, grad_y, shifted, weight, bias)
    assert all(torch.equal(found[name], expected[name]) for name in NAMES)
