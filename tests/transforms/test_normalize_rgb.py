import pytest
import torch
from monai.transforms import NormalizeIntensity

from monai_medmamba.transforms import NormalizeRGB, NormalizeRGBd

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)


def test_matches_monai():
    picture = torch.rand(3, 8, 10)
    expected = NormalizeIntensity(subtrahend=list(MEAN), divisor=list(STD), channel_wise=True)(picture.clone())
    torch.testing.assert_close(NormalizeRGB(MEAN, STD)(picture), torch.as_tensor(expected))


def test_a_batch_is_its_pictures():
    normalize, batch = NormalizeRGB(MEAN, STD), torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8)
    assert torch.equal(normalize(batch), torch.stack([normalize(picture) for picture in batch]))
    assert torch.equal(normalize(batch), normalize(batch.float() / 255))


def test_dictionary():
    item = {"image": torch.rand(3, 4, 4), "label": 1}
    found = NormalizeRGBd("image", MEAN, STD)(item)
    assert torch.equal(found["image"], NormalizeRGB(MEAN, STD)(item["image"]))
    assert found["label"] == 1


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.2, 0.2]), ([0.5], [0.0]), ([0.5] * 2, [0.2, -1])])
def test_invalid_arguments(mean, std):
    with pytest.raises(ValueError, match="one mean and one std above 0"):
        NormalizeRGB(mean, std)


@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 4), (2, 4, 4, 3)])
def test_another_number_of_channels_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 3, H, W\)"):
        NormalizeRGB(MEAN, STD)(torch.zeros(shape))


def test_another_dtype_is_refused():
    with pytest.raises(TypeError, match="uint8"):
        NormalizeRGB(MEAN, STD)(torch.zeros(3, 4, 4, dtype=torch.int64))


@pytest.mark.gpu
def test_a_gpu_computes_the_same_and_the_cpu_afterwards_too():
    normalize, batch = NormalizeRGB(MEAN, STD), torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8)
    expected = normalize(batch)
    torch.testing.assert_close(normalize(batch.cuda()).cpu(), expected)
    assert torch.equal(normalize(batch), expected)
