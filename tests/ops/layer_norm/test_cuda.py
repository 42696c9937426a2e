from types import SimpleNamespace

import pytest
import torch

from monai_medmamba.ops import nvrtc
from monai_medmamba.ops.layer_norm import cuda, torch_norm
from testing.emulator import EmulatedProgram, compiled
from testing.map_operators import assert_repeats, assert_takes_parameters_as_they_are, results
from testing.scans import rms


def tensors(positions, channels, dtype=torch.float64, device="cpu", beside=0):
    """Return the gradient of a result, a map that lies ``beside`` other channels, a weight and a bias."""
    generator = torch.Generator().manual_seed(0)
    real = torch.promote_types(dtype, torch.float32)
    sizes = ((positions, channels), (positions, beside + channels), (channels,), (channels,))
    drawn = (torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)
    grad_y, x, weight, bias = (t.to(device, its) for t, its in zip(drawn, (dtype, dtype, real, real), strict=True))
    return grad_y, (x + 3)[:, beside:], weight, bias


def test_names_what_is_missing():
    reasons = cuda.unsupported(torch.zeros(2, 2000), torch.ones(2000), torch.zeros(2000))
    assert reasons == ["needs CUDA tensors, got cpu", "holds at most 1024 channels, got 2000"]


@pytest.mark.parametrize(
    ("groups", "lanes"), [(1, 2), (4, 4), (8, 8), (12, 4), (24, 8), (48, 16), (96, 32), (192, 32), (7, 8)]
)
def test_lanes_leave_few_without_work(groups, lanes):
    assert cuda._lanes(groups) == lanes


@pytest.mark.parametrize(
    ("channels", "beside", "loaded"), [(16, 0, 4), (16, 16, 4), (16, 2, 2), (16, 1, 1), (6, 0, 2), (7, 7, 1)]
)
def test_channels_are_loaded_where_they_begin(channels, beside, loaded):
    _, x, weight, _ = tensors(5, channels, beside=beside)
    flat = cuda._positions(x.unflatten(0, (5, 1)))
    assert flat.data_ptr() == x.data_ptr()
    assert cuda._loaded(flat, weight) == loaded


def test_every_row_begins_where_channels_are_loaded():
    flat = cuda._positions(torch.zeros(5, 18)[:, :16])
    assert flat.stride() == (18, 1)
    assert cuda._loaded(flat) == 2


def test_positions_at_several_distances_are_copied():
    x = torch.randn(3, 4, 5).transpose(0, 1)
    flat = cuda._positions(x)
    assert flat.is_contiguous()
    assert torch.equal(flat, x.reshape(12, 5))


# The kernels themselves and what calls them, run on the CPU thread by thread.
@pytest.mark.parametrize(
    ("positions", "channels", "beside", "processors"),
    [(300, 16, 16, 1), (37, 48, 0, 1), (70, 7, 0, 132), (1, 20, 20, 132), (9, 384, 0, 132), (5, 130, 2, 1)],
    ids=str,
)
def test_kernels_match_torch_on_the_emulator(positions, channels, beside, processors, monkeypatch, tmp_path):
    def program(device, dtype, parameters, channels, loaded):
        constants = {
            "IO": nvrtc.KINDS[dtype],
            "PARAM_IO": int(parameters == dtype),
            "C": channels,
            "V": loaded,
            "G": cuda._lanes(channels // loaded),
        }
        return EmulatedProgram(compiled("norm_emulator.cpp", cuda._SOURCE, constants, tmp_path / f"{loaded}.so"))

    monkeypatch.setattr(cuda, "_program", program)
    monkeypatch.setattr(cuda, "_BLOCKS", 2)
    device = SimpleNamespace(multi_processor_count=processors)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: device)
    call = tensors(positions, channels, beside=beside)
    found, exact = results(cuda, *call), results(torch_norm, *call)
    for name, right in exact.items():
        assert found[name].shape == right.shape
        assert rms(found[name] - right) <= 1e-13 * rms(right), name


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize(
    ("positions", "channels", "beside"),
    [(100_000, 16, 16), (20_001, 48, 48), (5000, 96, 0), (777, 768, 0), (3, 1024, 0), (999, 9, 9), (50, 10, 1)],
    ids=str,
)
def test_matches_float64(positions, channels, beside, dtype):
    call = tensors(positions, channels, dtype, "cuda", beside)
    found = results(cuda, *call)
    exact = results(torch_norm, *(tensor.double().cpu() for tensor in call))
    for name, right in exact.items():
        own = found[name].double().cpu()
        bound = 8 if name in ("y", "x") else 400  # in units of rounding: thousands of products are summed
        assert found[name].dtype == call[{"y": 1, "x": 1, "weight": 2, "bias": 3}[name]].dtype
        assert rms(own - right) <= bound * torch.finfo(found[name].dtype).eps * rms(right), name


@pytest.mark.gpu
def test_parameters_in_the_dtype_of_the_map():
    assert_takes_parameters_as_they_are(cuda, *tensors(500, 48, torch.bfloat16, "cuda"))


@pytest.mark.gpu
def test_gradients_repeat_bit_by_bit():
    call = tensors(50_000, 96, torch.bfloat16, "cuda")
    assert_repeats(cuda, *call)


@pytest.mark.gpu
def test_not_a_number_stays_where_it_is():
    _, x, weight, bias = tensors(6, 48, torch.bfloat16, "cuda")
    x[2, 5] = torch.nan
    lost = cuda.forward(x, weight, bias).isnan()
    assert lost[2].all()
    assert lost.sum() == 48
