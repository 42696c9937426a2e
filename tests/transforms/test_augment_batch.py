import math

import numpy as np
import pytest
import torch
from monai.data.utils import set_rnd
from monai.transforms import (
    AdjustContrast,
    Affine,
    Compose,
    Flip,
    RandAdjustContrast,
    RandAffine,
    RandFlip,
    RandRotate90,
    RandScaleIntensity,
    Rotate90,
    ScaleIntensity,
)

from monai_medmamba.transforms import AugmentBatch, AugmentBatchd

SIDE = 24
EVERYTHING = {
    "flip_prob": 0.5,
    "turn_prob": 0.75,
    "affine_prob": 0.4,
    "rotate_range": 0.26,
    "scale_range": (0.1, 0.05),
    "translate_range": (0.06, 0.1),
    "contrast_prob": 0.3,
    "gamma": (0.7, 1.4),
    "intensity_prob": 0.3,
    "intensity_range": 0.2,
}


class Fixed:
    """A random state whose every draw lies at the same part of its range."""

    def __init__(self, part, turns=1):
        self.part, self.turns = part, turns

    def uniform(self, low=0.0, high=1.0, size=None):
        return np.full(size, low + self.part * (high - low)) if size is not None else low + self.part * (high - low)

    def randint(self, low, high, size):
        assert low <= self.turns < high
        return np.full(size, self.turns)


def pictures(count=4, side=SIDE):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def changed(batch, part=0.75, turns=1, **arguments):
    augment = AugmentBatch(**arguments)
    augment.R = Fixed(part, turns)
    return augment(batch)


def by_monai(transform, batch):
    return torch.stack([torch.as_tensor(transform(picture.clone())) for picture in batch])


def test_nothing_happens_at_probability_zero():
    batch = pictures()
    ranges = {name: value for name, value in EVERYTHING.items() if not name.endswith("_prob")}
    torch.testing.assert_close(AugmentBatch(**ranges)(batch), batch, atol=1e-5, rtol=0)


def test_bytes_become_floats():
    batch = torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8)
    found = AugmentBatch()(batch)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, batch.float() / 255, atol=1e-5, rtol=0)


@pytest.mark.parametrize("side", [1, 2, 7, 32, 224])
def test_flips_and_turns_keep_every_value(side):
    batch = torch.randint(256, (2, 3, side, side), dtype=torch.uint8)
    values = batch.float() / 255
    for turns in (1, 2, 3):
        for flip in (0, 1):
            found = changed(batch, turns=turns, flip_prob=flip, turn_prob=1)
            expected = by_monai(Rotate90(turns), by_monai(Flip(0), values) if flip else values)
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
            assert torch.equal((found * 255).round(), expected.mul(255).round())


def test_a_mirror_swaps_left_and_right_alone():
    batch = pictures()
    assert torch.allclose(changed(batch, mirror_prob=1), batch.flip(-1), atol=1e-5)
    assert torch.allclose(changed(batch, mirror_prob=1, flip_prob=1), batch.flip(-1, -2), atol=1e-5)


def test_without_tint_a_grey_picture_stays_grey():
    grey = pictures()[:, :1].expand(-1, 3, -1, -1)
    augment = AugmentBatch(intensity_prob=1, intensity_range=0.3, tint=False)
    augment.set_random_state(0)
    found = augment(grey)
    assert torch.equal(found[:, 0], found[:, 2])
    assert not torch.allclose(found, grey, atol=1e-3)
    augment.tint = True
    assert not torch.allclose(augment(grey)[:, 0], augment(grey)[:, 2], atol=1e-3)


@pytest.mark.parametrize("part", [0.1, 0.75])
def test_matches_monai_s_affine(part):
    strength = 2 * part - 1
    found = changed(
        pictures(), part, affine_prob=1, rotate_range=0.5, scale_range=(0.2, 0.1), translate_range=(0.1, 0.2)
    )
    affine = Affine(
        rotate_params=0.5 * strength,
        scale_params=(1 + 0.2 * strength, 1 + 0.1 * strength),
        translate_params=(0.1 * SIDE * strength, 0.2 * SIDE * strength),
        mode="bilinear",
        padding_mode="reflection",
        image_only=True,
    )
    torch.testing.assert_close(found, by_monai(affine, pictures()), atol=1e-4, rtol=0)


@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
def test_matches_monai_s_contrast_and_intensity(part):
    found = changed(pictures(), part, contrast_prob=1, gamma=(0.7, 1.4))
    contrast = AdjustContrast(0.7 + part * 0.7)
    if part < 1:  # a draw of 1 is above every chance
        torch.testing.assert_close(found, by_monai(contrast, pictures()), atol=1e-5, rtol=0)
        found = changed(pictures(), part, intensity_prob=1, intensity_range=0.2)
        factor = ScaleIntensity(minv=None, maxv=None, factor=0.2 * (2 * part - 1))
        torch.testing.assert_close(found, by_monai(factor, pictures()), atol=1e-5, rtol=0)
    else:
        torch.testing.assert_close(found, pictures(), atol=1e-5, rtol=0)


def test_all_together_in_monai_s_order():
    found = changed(pictures(), 0.75, turns=3, **{k: 1 if k.endswith("_prob") else v for k, v in EVERYTHING.items()})
    steps = Compose(
        [
            Flip(0),
            Rotate90(3),
            Affine(
                rotate_params=0.13,
                scale_params=(1.05, 1.025),
                translate_params=(0.03 * SIDE, 0.05 * SIDE),
                padding_mode="reflection",
                image_only=True,
            ),
            AdjustContrast(0.7 + 0.75 * 0.7),
            ScaleIntensity(minv=None, maxv=None, factor=0.1),
        ]
    )
    torch.testing.assert_close(found, by_monai(steps, pictures()), atol=2e-4, rtol=0)


def test_the_same_in_distribution_as_monai_s_random_transforms():
    """Mean and deviation of each pixel, over many draws, of one picture that is dark above and bright on one side."""
    picture = torch.linspace(0.2, 0.8, 12).view(1, 12, 1) * torch.linspace(0.5, 1, 12).view(1, 1, 12).expand(3, 12, 12)
    chain = Compose(
        [
            RandFlip(0.5, spatial_axis=0),
            RandRotate90(0.75, max_k=3),
            RandAffine(
                prob=0.4, rotate_range=0.26, scale_range=(0.1, 0.05), translate_range=(0.72, 1.2),
                padding_mode="reflection",
            ),
            RandAdjustContrast(0.3, gamma=(0.7, 1.4)),
            RandScaleIntensity(0.2, prob=0.3, channel_wise=True),
        ]
    ).set_random_state(0)  # fmt: skip
    theirs = torch.stack([torch.as_tensor(chain(picture.clone())) for _ in range(700)])
    augment = AugmentBatch(**EVERYTHING)
    augment.set_random_state(0)
    ours = augment(picture.expand(4000, 3, 12, 12))
    bound = 5 * theirs.std(0).max().item() / math.sqrt(len(theirs))
    assert (ours.mean(0) - theirs.mean(0)).abs().max() < bound
    assert (ours.std(0) - theirs.std(0)).abs().max() < bound


def test_the_seed_decides():
    augment, batch = AugmentBatch(**EVERYTHING), pictures(16)

    def drawn(seed):
        augment.set_random_state(seed)
        return augment(batch), augment(batch)

    first, again = drawn(3), drawn(3)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], drawn(4)[0])


def test_each_image_has_its_own():
    augment = AugmentBatch(**EVERYTHING)
    augment.set_random_state(0)
    same = pictures(1).expand(32, -1, -1, -1)
    assert len({tuple(picture.flatten().tolist()) for picture in augment(same)}) > 16


def test_the_batch_that_came_is_left_alone():
    batch = pictures()
    changed(batch, contrast_prob=1, gamma=(2, 2), intensity_prob=1, intensity_range=0.5)
    assert torch.equal(batch, pictures())


def test_dictionary_and_its_seed():
    augment = AugmentBatchd("image", AugmentBatch(**EVERYTHING))
    alone = AugmentBatch(**EVERYTHING)
    set_rnd(augment, 5)
    alone.set_random_state(5)
    item = {"image": pictures(), "label": 1}
    found = augment(item)
    assert torch.equal(found["image"], alone(pictures()))
    assert found["label"] == 1
    assert torch.equal(item["image"], pictures())


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 3, 8, 9), (8, 8)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="expected a batch of square images"):
        AugmentBatch()(torch.zeros(shape))


def test_other_dtypes_are_refused():
    with pytest.raises(TypeError, match="expected uint8, or floating point"):
        AugmentBatch()(torch.zeros(1, 3, 8, 8, dtype=torch.int64))


@pytest.mark.parametrize(
    "wrong",
    [
        {"flip_prob": 1.1},
        {"turn_prob": -0.1},
        {"rotate_range": -1.0},
        {"scale_range": (0.1,)},
        {"translate_range": (0.1, -0.1)},
        {"gamma": (0.0, 1.0)},
        {"gamma": (1.0,)},
        {"intensity_range": -0.1},
    ],
)
def test_invalid_arguments(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=rf"got .*'{name}'"):
        AugmentBatch(**wrong)


@pytest.mark.gpu
def test_a_gpu_draws_and_computes_the_same():
    augment, batch = AugmentBatch(**EVERYTHING), torch.randint(256, (16, 3, 32, 32), dtype=torch.uint8)
    augment.set_random_state(1)
    expected = augment(batch)
    augment.set_random_state(1)
    torch.testing.assert_close(augment(batch.cuda()).cpu(), expected, atol=1e-4, rtol=0)


@pytest.mark.gpu
def test_flips_and_turns_keep_every_value_on_a_gpu_in_lower_precision():
    batch = torch.randint(256, (2, 3, 224, 224), dtype=torch.uint8)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            found = changed(batch.cuda(), turns=2, flip_prob=1, turn_prob=1)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    assert torch.equal((found.cpu() * 255).round().byte(), batch.flip(2).rot90(2, (2, 3)))
