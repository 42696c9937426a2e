import pytest
import torch
from monai.data import MetaTensor

from monai_medmamba.transforms import QuantizeRGB, QuantizeRGBd, dequantize_rgb


def test_bytes_come_back_exactly():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    assert torch.equal(QuantizeRGB()(dequantize_rgb(levels)), levels)


def test_error_is_half_a_level_at_most():
    picture = torch.rand(3, 32, 32)
    found = QuantizeRGB()(picture)
    assert found.dtype == torch.uint8
    assert (dequantize_rgb(found) - picture).abs().max() <= 0.5001 / 255


def test_values_outside_are_clipped():
    assert QuantizeRGB()(torch.tensor([-0.1, 1.1])).tolist() == [0, 255]


def test_metadata_stays():
    item = {"image": MetaTensor(torch.rand(3, 4, 4), meta={"filename_or_obj": "a.png"}), "label": 1}
    found = QuantizeRGBd(keys="image")(item)
    assert found["image"].meta["filename_or_obj"] == "a.png"
    assert found["label"] == 1
    assert item["image"].is_floating_point()


def test_missing_keys():
    with pytest.raises(KeyError, match="image"):
        QuantizeRGBd(keys="image")({})
    assert QuantizeRGBd(keys="image", allow_missing_keys=True)({}) == {}


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_floating_point_is_left_as_it_is(dtype):
    found = dequantize_rgb(torch.tensor([0.25, 1.0], dtype=dtype))
    assert (found.dtype, found.tolist()) == (torch.float32, [0.25, 1.0])


@pytest.mark.parametrize("dtype", [torch.int64, torch.int16, torch.bool])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match="expected uint8, or floating point"):
        dequantize_rgb(torch.zeros(2, dtype=dtype))
